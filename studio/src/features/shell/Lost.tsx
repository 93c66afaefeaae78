import { Link } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { Button } from "@/components/controls";
import { Empty, Failure } from "@/components/states";
import { t } from "@/lib/i18n";

export function Lost() {
  return (
    <Empty
      icon={<Compass aria-hidden />}
      title={t("There is no such page")}
      action={
        <Link to="/" className="text-accent-text underline">
          {t("Back to where clips are made")}
        </Link>
      }
    />
  );
}

export function PageFailure({ error, reset }: { error: unknown; reset: () => void }) {
  return (
    <div className="grid h-full place-items-center p-6">
      <div className="flex flex-col gap-4">
        <Failure error={error} retry={reset} title={t("This page has failed")} />
        <Button look="ghost" onClick={() => location.reload()}>
          {t("Load the studio again")}
        </Button>
      </div>
    </div>
  );
}
