import { Menu as AriaMenu, MenuItem as AriaItem, MenuSection, MenuTrigger } from "react-aria-components/Menu";
import { Header } from "react-aria-components/Header";
import { Popover } from "react-aria-components/Popover";
import { Separator } from "react-aria-components/Separator";
import { Icon } from "./Icon";
import styles from "./Menu.module.css";

interface MenuProps {
  label: string;
  trigger: React.ReactElement;
  children: React.ReactNode;
  end?: boolean;
}

export function Menu({ label, trigger, children, end = false }: MenuProps) {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className={styles.popover ?? ""} placement={end ? "bottom end" : "bottom start"} offset={4}>
        <AriaMenu aria-label={label}>{children}</AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}

interface ItemProps {
  children: string;
  hint?: string;
  /** Whether this item of a group is selected. Undefined for a command. */
  selected?: boolean;
  onAction: () => void;
}

export function MenuItem({ children, hint, selected, onAction }: ItemProps) {
  return (
    <AriaItem className={styles.item ?? ""} onAction={onAction} textValue={children}>
      {selected !== undefined && (
        <span className={styles.tick}>
          {selected && <Icon name="check" />}
          {selected && <span className="visually-hidden">Selected: </span>}
        </span>
      )}
      <span className={styles.main}>{children}</span>
      {hint && <span className={styles.hint}>{hint}</span>}
    </AriaItem>
  );
}

export function MenuGroup({ title, children }: { title: string; children: React.ReactNode }) {
  return (
    <MenuSection>
      <Header className={styles.heading}>{title}</Header>
      {children}
    </MenuSection>
  );
}

export function MenuSeparator() {
  return <Separator className={styles.separator} />;
}
