import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactNode, useId, useLayoutEffect, useRef, useState } from "react";
import { charactersQuery } from "@/api/library";
import { cx } from "@/components/controls";
import { findMentions, mentionAt } from "@/features/compose/mentions";
import { t } from "@/lib/i18n";

interface PromptBoxProps {
  value: string;
  onChange: (value: string) => void;
  onSubmit?: () => void;
  label: string;
  placeholder?: string;
  rows?: number;
  autoFocus?: boolean;
  className?: string;
  id?: string;
  onPasteFiles?: (files: File[]) => void;
}

/** A text box that grows with what is in it, marks the characters that it names, and offers them after an @. */
export function PromptBox({
  value,
  onChange,
  onSubmit,
  label,
  placeholder,
  rows = 2,
  autoFocus,
  className,
  id,
  onPasteFiles,
}: PromptBoxProps) {
  const box = useRef<HTMLTextAreaElement>(null);
  const mirror = useRef<HTMLDivElement>(null);
  const listId = useId();
  const { data: characters = [] } = useQuery(charactersQuery);
  const [caret, setCaret] = useState(0);
  const [chosen, setChosen] = useState(0);
  const [dismissed, setDismissed] = useState(-1);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the height depends on the text
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || CSS.supports("field-sizing", "content")) return;
    element.style.height = "0";
    element.style.height = `${element.scrollHeight}px`;
  }, [value]);

  const typed = characters.length ? mentionAt(value, caret) : null;
  const query = typed?.query.toLowerCase() ?? "";
  const offered = typed ? characters.filter((one) => one.name?.toLowerCase().startsWith(query)).slice(0, 6) : [];
  const open =
    offered.length > 0 &&
    typed !== null &&
    dismissed !== typed.start &&
    !findMentions(value, characters).some((one) => one.start === typed.start);

  const insert = (name: string): void => {
    if (!typed) return;
    const after = value.slice(caret);
    const next = `${value.slice(0, typed.start)}@${name}${after.startsWith(" ") ? "" : " "}${after}`;
    const at = typed.start + name.length + 2;
    onChange(next);
    requestAnimationFrame(() => {
      box.current?.setSelectionRange(at, at);
      setCaret(at);
    });
  };

  const onKeyDown = (event: KeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.nativeEvent.isComposing) return;
    if (open) {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) {
        event.preventDefault();
        setChosen((chosen + step + offered.length) % offered.length);
        return;
      }
      if (event.key === "Enter" || event.key === "Tab") {
        event.preventDefault();
        insert(offered[chosen % offered.length]?.name ?? "");
        return;
      }
      if (event.key === "Escape") {
        event.preventDefault();
        setDismissed(typed.start);
        return;
      }
    }
    if (event.key === "Enter" && (event.metaKey || event.ctrlKey) && onSubmit) {
      event.preventDefault();
      onSubmit();
    }
  };

  const marked: ReactNode[] = [];
  let reached = 0;
  for (const { start, end } of findMentions(value, characters)) {
    marked.push(
      value.slice(reached, start),
      <mark key={start} className="rounded bg-accent-soft text-transparent shadow-[0_0_0_1px_var(--accent-soft)]">
        {value.slice(start, end)}
      </mark>,
    );
    reached = end;
  }
  const look = "col-start-1 row-start-1 w-full px-1 py-1 text-[0.9375rem] leading-6 break-words whitespace-pre-wrap";

  return (
    <div className={cx("relative", className)}>
      <div className="grid max-h-[38dvh] overflow-y-auto">
        <div ref={mirror} aria-hidden className={cx(look, "pointer-events-none text-transparent")}>
          {marked}
          {value.slice(reached)}{" "}
        </div>
        <textarea
          ref={box}
          id={id}
          aria-label={label}
          aria-controls={open ? listId : undefined}
          aria-activedescendant={open ? `${listId}-${chosen % offered.length}` : undefined}
          rows={rows}
          value={value}
          maxLength={32000}
          placeholder={placeholder}
          // biome-ignore lint/a11y/noAutofocus: the studio opens where work begins
          autoFocus={autoFocus}
          spellCheck
          onChange={(event) => {
            onChange(event.target.value);
            setCaret(event.target.selectionStart);
            setChosen(0);
          }}
          onSelect={(event) => setCaret(event.currentTarget.selectionStart)}
          onKeyDown={onKeyDown}
          onPaste={(event) => {
            const files = [...event.clipboardData.files];
            if (files.length && onPasteFiles) {
              event.preventDefault();
              onPasteFiles(files);
            }
          }}
          className={cx(look, "field-sizing-content resize-none overflow-hidden bg-transparent outline-none")}
        />
      </div>
      {open && (
        <div
          id={listId}
          role="listbox"
          aria-label={t("Characters")}
          className="absolute bottom-full left-0 z-20 mb-2 min-w-52 rounded-xl border border-line-strong bg-raised p-1 shadow-float"
        >
          {offered.map((one, index) => (
            <button
              key={one.id}
              id={`${listId}-${index}`}
              type="button"
              role="option"
              tabIndex={-1}
              aria-selected={index === chosen % offered.length}
              onMouseDown={(event) => {
                event.preventDefault();
                insert(one.name ?? "");
              }}
              className={cx(
                "block w-full rounded-lg px-3 py-1.5 text-left text-sm",
                index === chosen % offered.length && "bg-hover",
              )}
            >
              @{one.name}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
