import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog as BaseDialog } from "@base-ui/react/dialog";
import { Menu as BaseMenu } from "@base-ui/react/menu";
import { Popover as BasePopover } from "@base-ui/react/popover";
import { X } from "lucide-react";
import { Fragment, type ReactElement, type ReactNode, useRef, useState } from "react";
import { create } from "zustand";
import { Button, cx, Field, IconButton, inputLook, Keys } from "@/components/controls";
import { t } from "@/lib/i18n";

const SCRIM =
  "fixed inset-0 z-50 bg-(--scrim) backdrop-blur-[2px] transition-opacity duration-150 data-starting-style:opacity-0 data-ending-style:opacity-0";
const POPUP =
  "pop fixed top-1/2 left-1/2 z-50 flex max-h-[min(88dvh,900px)] -translate-x-1/2 -translate-y-1/2 flex-col rounded-2xl border border-line-strong bg-panel shadow-float outline-none";

export function Dialog({
  open,
  onClose,
  title,
  description,
  children,
  footer,
  wide,
}: {
  open: boolean;
  onClose: () => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  footer?: ReactNode;
  wide?: boolean;
}) {
  const popup = useRef<HTMLDivElement>(null);
  // In the first field, or else in the dialog as a whole: on the close button, its tooltip would take the first Escape.
  // Where fingers type, no keyboard springs up unasked.
  const begin = () =>
    (matchMedia("(pointer: fine)").matches && popup.current?.querySelector<HTMLElement>("input, textarea")) ||
    popup.current;
  return (
    <BaseDialog.Root open={open} onOpenChange={(next) => !next && onClose()}>
      <BaseDialog.Portal>
        <BaseDialog.Backdrop className={SCRIM} />
        <BaseDialog.Popup
          ref={popup}
          initialFocus={begin}
          className={cx(POPUP, wide ? "w-[min(1080px,calc(100vw-24px))]" : "w-[min(540px,calc(100vw-24px))]")}
        >
          <div className="flex items-start gap-4 border-b border-line px-5 py-4">
            <div className="min-w-0 flex-1">
              <BaseDialog.Title className="text-lg font-semibold">{title}</BaseDialog.Title>
              {description && (
                <BaseDialog.Description className="mt-0.5 text-sm text-text-3">{description}</BaseDialog.Description>
              )}
            </div>
            <BaseDialog.Close render={<IconButton label={t("Close")} keys="escape" small side="left" />}>
              <X aria-hidden />
            </BaseDialog.Close>
          </div>
          <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">{children}</div>
          {footer && (
            <div className="flex flex-wrap items-center justify-end gap-2 border-t border-line px-5 py-3">{footer}</div>
          )}
        </BaseDialog.Popup>
      </BaseDialog.Portal>
    </BaseDialog.Root>
  );
}

interface Question {
  title: string;
  text: string;
  action: string;
  danger?: boolean;
}

const useQuestion = create<{ asked: (Question & { answer: (yes: boolean) => void }) | null }>(() => ({ asked: null }));

/** Asks before what cannot be undone. */
export function confirm(question: Question): Promise<boolean> {
  return new Promise((answer) => useQuestion.setState({ asked: { ...question, answer } }));
}

export function Questions() {
  const asked = useQuestion((state) => state.asked);
  const answer = (yes: boolean) => {
    asked?.answer(yes);
    useQuestion.setState({ asked: null });
  };
  return (
    <>
      <TextQuestions />
      <AlertDialog.Root open={asked !== null} onOpenChange={(open) => !open && answer(false)}>
        <AlertDialog.Portal>
          <AlertDialog.Backdrop className={SCRIM} />
          <AlertDialog.Popup className={cx(POPUP, "w-[min(420px,calc(100vw-24px))] p-5")}>
            <AlertDialog.Title className="text-lg font-semibold">{asked?.title}</AlertDialog.Title>
            <AlertDialog.Description className="mt-1.5 text-text-2">{asked?.text}</AlertDialog.Description>
            <div className="mt-5 flex justify-end gap-2">
              <Button look="ghost" onClick={() => answer(false)}>
                {t("Cancel")}
              </Button>
              <Button look={asked?.danger ? "danger" : "primary"} onClick={() => answer(true)}>
                {asked?.action}
              </Button>
            </div>
          </AlertDialog.Popup>
        </AlertDialog.Portal>
      </AlertDialog.Root>
    </>
  );
}

interface TextQuestion {
  title: string;
  label: string;
  action: string;
}

const useTextQuestion = create<{ asked: (TextQuestion & { answer: (text: string | null) => void }) | null }>(() => ({
  asked: null,
}));

/** Asks for a short text; null when it was not given. */
export function askText(question: TextQuestion): Promise<string | null> {
  return new Promise((answer) => useTextQuestion.setState({ asked: { ...question, answer } }));
}

function TextQuestions() {
  const asked = useTextQuestion((state) => state.asked);
  const [text, setText] = useState("");
  const answer = (given: string | null) => {
    asked?.answer(given);
    setText("");
    useTextQuestion.setState({ asked: null });
  };
  if (!asked) return null;
  return (
    <Dialog
      open
      onClose={() => answer(null)}
      title={asked.title}
      footer={
        <Button look="primary" disabled={!text.trim()} onClick={() => answer(text.trim())}>
          {asked.action}
        </Button>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (text.trim()) answer(text.trim());
        }}
      >
        <Field label={asked.label}>
          {(id) => (
            <input
              id={id}
              maxLength={120}
              value={text}
              onChange={(event) => setText(event.target.value)}
              className={inputLook}
            />
          )}
        </Field>
      </form>
    </Dialog>
  );
}

export interface Action {
  label: string;
  icon?: ReactNode;
  keys?: string;
  danger?: boolean;
  disabled?: boolean;
  hint?: string;
  run: () => void;
}

export function Menu({
  trigger,
  actions,
  label,
}: {
  trigger: ReactElement<Record<string, unknown>>;
  actions: readonly (Action | null)[];
  label: string;
}) {
  return (
    <BaseMenu.Root modal={false}>
      <BaseMenu.Trigger render={trigger} />
      <BaseMenu.Portal>
        <BaseMenu.Positioner sideOffset={4} align="end" className="z-60">
          <BaseMenu.Popup
            aria-label={label}
            className="pop max-h-(--available-height) min-w-52 overflow-y-auto rounded-xl border border-line-strong bg-raised p-1 shadow-float outline-none"
          >
            {actions.map((action, index) =>
              action === null ? (
                <BaseMenu.Separator key={`line ${index}`} className="my-1 h-px bg-line" />
              ) : (
                <Fragment key={action.label}>
                  <BaseMenu.Item
                    disabled={action.disabled ?? false}
                    onClick={action.run}
                    className={cx(
                      "flex cursor-default items-center gap-2.5 rounded-lg px-2.5 py-1.5 text-sm outline-none select-none data-disabled:opacity-45 data-highlighted:bg-hover [&_svg]:size-4 [&_svg]:shrink-0",
                      action.danger ? "text-bad" : "text-text",
                    )}
                  >
                    {action.icon}
                    <span className="min-w-0 flex-1">
                      {action.label}
                      {action.hint && (
                        <span className="block max-w-64 text-xs whitespace-normal text-text-3">{action.hint}</span>
                      )}
                    </span>
                    {action.keys && <Keys combination={action.keys} />}
                  </BaseMenu.Item>
                </Fragment>
              ),
            )}
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}

export function Popover({
  trigger,
  children,
  title,
  align = "start",
  side = "bottom",
  open,
  onOpenChange,
}: {
  trigger: ReactElement<Record<string, unknown>>;
  children: ReactNode;
  title: string;
  align?: "start" | "center" | "end";
  side?: "top" | "bottom";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}) {
  return (
    <BasePopover.Root {...(open === undefined ? {} : { open })} onOpenChange={(next) => onOpenChange?.(next)}>
      <BasePopover.Trigger render={trigger} />
      <BasePopover.Portal>
        <BasePopover.Positioner sideOffset={6} align={align} side={side} className="z-60">
          <BasePopover.Popup className="pop max-h-(--available-height) w-[min(360px,calc(100vw-24px))] overflow-y-auto rounded-2xl border border-line-strong bg-panel p-4 shadow-float outline-none">
            <BasePopover.Title className="mb-3 text-sm font-semibold">{title}</BasePopover.Title>
            {children}
          </BasePopover.Popup>
        </BasePopover.Positioner>
      </BasePopover.Portal>
    </BasePopover.Root>
  );
}
