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
  /** Shows a small dialog in the middle instead of a sheet at the bottom edge. */
  centred?: boolean;
  /** False keeps it open when somebody presses outside: for content that is shown only once. */
  dismissable?: boolean;
}

export function Sheet({
  title,
  open,
  onOpenChange,
  children,
  centred = false,
  dismissable = true,
}: SheetProps) {
  return (
    <ModalOverlay
      className={styles.scrim ?? ""}
      isOpen={open}
      onOpenChange={onOpenChange}
      isDismissable={dismissable}
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
