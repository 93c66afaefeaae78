import { Select as BaseSelect } from "@base-ui/react/select";
import { Switch as BaseSwitch } from "@base-ui/react/switch";
import { Tooltip } from "@base-ui/react/tooltip";
import { Check, ChevronDown, LoaderCircle } from "lucide-react";
import { type ButtonHTMLAttributes, type ReactNode, useId } from "react";
import { isMac, keyNames } from "@/lib/hotkeys";

export function cx(...names: (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}

type ButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  look?: "primary" | "plain" | "ghost" | "danger";
  small?: boolean;
  busy?: boolean;
};

const LOOKS = {
  primary:
    "dawn text-on-accent font-semibold hover:brightness-108 active:brightness-95 shadow-[0_1px_0_#ffffff40_inset]",
  plain: "bg-raised text-text border border-line-strong hover:bg-hover",
  ghost: "text-text-2 hover:text-text hover:bg-hover",
  danger: "bg-bad-soft text-bad border border-transparent hover:border-bad",
};

export function Button({ look = "plain", small, busy, className, children, disabled, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={cx(
        "inline-flex shrink-0 items-center justify-center gap-2 rounded-lg whitespace-nowrap transition-[background,filter,color] duration-100 disabled:opacity-45 disabled:hover:brightness-100",
        small ? "h-8 px-3 text-sm" : "h-9 px-4",
        LOOKS[look],
        className,
      )}
      {...rest}
    >
      {busy && <LoaderCircle aria-hidden className="size-4 animate-spin" />}
      {children}
    </button>
  );
}

type IconButtonProps = ButtonHTMLAttributes<HTMLButtonElement> & {
  label: string;
  keys?: string;
  active?: boolean;
  side?: "top" | "bottom" | "left" | "right";
  small?: boolean;
};

/** A button with a picture; its name is in the tooltip and for screen readers, its key beside it. */
export function IconButton({
  label,
  keys,
  active,
  side = "top",
  small,
  className,
  children,
  ...rest
}: IconButtonProps) {
  return (
    <Tip label={label} keys={keys} side={side}>
      <button
        type="button"
        aria-label={label}
        aria-pressed={active}
        className={cx(
          "inline-grid shrink-0 place-items-center rounded-lg transition-colors disabled:opacity-40 [&_svg]:size-4.5",
          small ? "size-8" : "size-9",
          active ? "bg-accent-soft text-accent-text" : "text-text-2 hover:bg-hover hover:text-text",
          className,
        )}
        {...rest}
      >
        {children}
      </button>
    </Tip>
  );
}

export function Tip({
  label,
  keys,
  side = "top",
  children,
}: {
  label: ReactNode;
  keys?: string | undefined;
  side?: "top" | "bottom" | "left" | "right";
  children: React.ReactElement<Record<string, unknown>>;
}) {
  return (
    <Tooltip.Root>
      <Tooltip.Trigger render={children} />
      <Tooltip.Portal>
        <Tooltip.Positioner side={side} sideOffset={6} className="z-70">
          <Tooltip.Popup className="pop flex max-w-72 items-center gap-2 rounded-md border border-line-strong bg-raised px-2 py-1 text-xs text-text shadow-float">
            {label}
            {keys && <Keys combination={keys} />}
          </Tooltip.Popup>
        </Tooltip.Positioner>
      </Tooltip.Portal>
    </Tooltip.Root>
  );
}

export function Keys({ combination }: { combination: string }) {
  const names = keyNames(combination);
  return (
    <kbd className="inline-flex gap-0.5 font-sans text-2xs text-text-3">
      {names.map((name) => (
        <span key={name} className="rounded border border-line-strong px-1 leading-4">
          {name}
        </span>
      ))}
    </kbd>
  );
}

export const modKey = isMac ? "⌘" : "Ctrl";

export interface Choice<T extends string> {
  value: T;
  label: ReactNode;
  hint?: string;
  disabled?: boolean;
}

/** One of a few, all in sight: radio buttons in one frame. */
export function Segmented<T extends string>({
  label,
  value,
  choices,
  onChange,
  small,
}: {
  label: string;
  value: T;
  choices: readonly Choice<T>[];
  onChange: (value: T) => void;
  small?: boolean;
}) {
  const name = useId();
  return (
    <fieldset
      className="inline-flex w-fit max-w-full min-w-0 overflow-x-auto rounded-lg border border-line bg-ground p-0.5"
      aria-label={label}
    >
      {choices.map((choice) => (
        <label
          key={choice.value}
          title={choice.hint}
          className={cx(
            "relative inline-flex cursor-pointer items-center justify-center gap-1.5 rounded-[6px] px-2.5 whitespace-nowrap transition-colors has-focus-visible:outline-2 has-focus-visible:outline-accent",
            small ? "h-6 text-xs" : "h-7 text-sm",
            choice.disabled && "cursor-default opacity-40",
            value === choice.value
              ? "bg-hover text-text shadow-[0_0_0_1px_var(--line-strong)]"
              : "text-text-2 hover:text-text",
          )}
        >
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={value === choice.value}
            disabled={choice.disabled}
            onChange={() => onChange(choice.value)}
            className="sr-only"
          />
          {choice.label}
        </label>
      ))}
    </fieldset>
  );
}

export function Select<T extends string>({
  label,
  value,
  choices,
  onChange,
  className,
  icon,
  quiet,
}: {
  label: string;
  value: T;
  choices: readonly Choice<T>[];
  onChange: (value: T) => void;
  className?: string;
  icon?: ReactNode;
  quiet?: boolean;
}) {
  const shown = choices.find((choice) => choice.value === value);
  return (
    <BaseSelect.Root value={value} onValueChange={(next) => next !== null && onChange(next as T)} modal={false}>
      <BaseSelect.Trigger
        aria-label={label}
        className={cx(
          "inline-flex h-8 min-w-0 shrink-0 items-center gap-1.5 rounded-lg px-2.5 text-sm transition-colors",
          quiet
            ? "text-text-2 hover:bg-hover hover:text-text"
            : "border border-line-strong bg-raised text-text hover:bg-hover",
          className,
        )}
      >
        {icon}
        <BaseSelect.Value className="truncate">{() => shown?.label ?? value}</BaseSelect.Value>
        <ChevronDown aria-hidden className="ml-auto size-3.5 shrink-0 text-text-3" />
      </BaseSelect.Trigger>
      <BaseSelect.Portal>
        <BaseSelect.Positioner sideOffset={4} alignItemWithTrigger={false} className="z-60">
          <BaseSelect.Popup className="pop max-h-[min(420px,var(--available-height))] min-w-(--anchor-width) overflow-y-auto rounded-xl border border-line-strong bg-raised p-1 shadow-float outline-none">
            {choices.map((choice) => (
              <BaseSelect.Item
                key={choice.value}
                value={choice.value}
                disabled={choice.disabled ?? false}
                className="flex cursor-default items-start gap-2 rounded-lg py-1.5 pr-3 pl-2 text-sm outline-none select-none data-disabled:opacity-50 data-highlighted:bg-hover"
              >
                <span className="mt-0.5 inline-grid w-4 place-items-center text-accent-text">
                  <BaseSelect.ItemIndicator>
                    <Check aria-hidden className="size-3.5" />
                  </BaseSelect.ItemIndicator>
                </span>
                <span className="min-w-0">
                  <BaseSelect.ItemText>{choice.label}</BaseSelect.ItemText>
                  {choice.hint && <span className="block max-w-72 text-xs text-text-3">{choice.hint}</span>}
                </span>
              </BaseSelect.Item>
            ))}
          </BaseSelect.Popup>
        </BaseSelect.Positioner>
      </BaseSelect.Portal>
    </BaseSelect.Root>
  );
}

export function Range({
  label,
  value,
  min,
  max,
  step,
  onChange,
  shown,
  className,
}: {
  label: string;
  value: number;
  min: number;
  max: number;
  step: number;
  onChange: (value: number) => void;
  shown?: string;
  className?: string;
}) {
  const at = max > min ? ((value - min) / (max - min)) * 100 : 0;
  return (
    <input
      type="range"
      aria-label={label}
      aria-valuetext={shown}
      className={cx("range", className)}
      style={{ "--at": `${at}%` } as React.CSSProperties}
      min={min}
      max={max}
      step={step}
      value={value}
      onChange={(event) => onChange(event.currentTarget.valueAsNumber)}
    />
  );
}

export function Switch({
  label,
  checked,
  onChange,
  hint,
}: {
  label: string;
  checked: boolean;
  onChange: (on: boolean) => void;
  hint?: string;
}) {
  const id = useId();
  return (
    <div className="flex items-start justify-between gap-6 py-1">
      <label htmlFor={id} className="min-w-0">
        {label}
        {hint && <span className="block text-sm text-text-3">{hint}</span>}
      </label>
      <BaseSwitch.Root
        id={id}
        checked={checked}
        onCheckedChange={onChange}
        className="relative mt-0.5 h-5 w-9 shrink-0 rounded-full bg-control transition-colors data-checked:bg-accent"
      >
        <BaseSwitch.Thumb className="block size-4 translate-x-0.5 rounded-full bg-white shadow transition-transform data-checked:translate-x-[18px]" />
      </BaseSwitch.Root>
    </div>
  );
}

export function Field({
  label,
  hint,
  children,
  trailing,
}: {
  label: string;
  hint?: ReactNode;
  children: (id: string) => ReactNode;
  trailing?: ReactNode;
}) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1.5">
      <div className="flex items-baseline justify-between gap-3">
        <label htmlFor={id} className="text-sm font-medium text-text-2">
          {label}
        </label>
        {trailing && <span className="text-xs text-text-3 tabular">{trailing}</span>}
      </div>
      {children(id)}
      {hint && <p className="text-xs text-text-3">{hint}</p>}
    </div>
  );
}

export const inputLook =
  "h-9 w-full min-w-0 rounded-lg border border-line-strong bg-ground px-3 text-text transition-colors hover:border-control focus-visible:outline-offset-0";

export function Progress({ value, label, className }: { value: number | null; label: string; className?: string }) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={value ?? undefined}
      className={cx("h-1 overflow-hidden rounded-full bg-line-strong", className)}
    >
      {value === null ? (
        <div className="shimmer h-full w-full opacity-70" />
      ) : (
        <div className="dawn h-full rounded-full transition-[width] duration-300" style={{ width: `${value}%` }} />
      )}
    </div>
  );
}

export function Badge({
  children,
  tone = "plain",
}: {
  children: ReactNode;
  tone?: "plain" | "accent" | "bad" | "good" | "warn";
}) {
  const tones = {
    plain: "bg-hover text-text-2",
    accent: "bg-accent-soft text-accent-text",
    bad: "bg-bad-soft text-bad",
    good: "bg-hover text-good",
    warn: "bg-hover text-warn",
  };
  return (
    <span
      className={cx(
        "inline-flex h-5 items-center gap-1 rounded-md px-1.5 text-2xs font-medium whitespace-nowrap",
        tones[tone],
      )}
    >
      {children}
    </span>
  );
}
