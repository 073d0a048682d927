import { Dialog } from "react-aria-components/Dialog";
import { Heading } from "react-aria-components/Heading";
import { Modal, ModalOverlay } from "react-aria-components/Modal";
import { IconButton } from "./Button";
import styles from "./Sheet.module.css";

interface SheetProps {
  title: string;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  children: React.ReactNode;
  /** A small dialog in the middle, rather than a sheet from the bottom edge. */
  centred?: boolean;
  /** A press beside it does not close it: it shows what is shown once. */
  keep?: boolean;
}

export function Sheet({ title, open, onOpenChange, children, centred = false, keep = false }: SheetProps) {
  return (
    <ModalOverlay
      className={styles.scrim ?? ""}
      isOpen={open}
      onOpenChange={onOpenChange}
      isDismissable={!keep}
    >
      <Modal className={(centred ? styles.centred : styles.sheet) ?? ""}>
        <Dialog className={styles.dialog ?? ""}>
          <div className={styles.head}>
            <Heading slot="title" level={2}>
              {title}
            </Heading>
            <IconButton icon="close" label="Close" onPress={() => onOpenChange(false)} />
          </div>
          <div className={styles.body}>{children}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
