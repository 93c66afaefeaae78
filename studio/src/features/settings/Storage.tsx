import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { facetsQuery, usageQuery } from "@/api/library";
import { Failure } from "@/components/states";
import { bytes } from "@/lib/format";
import { number, t } from "@/lib/i18n";

export function Storage() {
  const usage = useQuery(usageQuery);
  const facets = useQuery(facetsQuery);
  if (usage.isError) return <Failure error={usage.error} retry={() => void usage.refetch()} />;
  if (!usage.data) return <div aria-hidden className="shimmer h-40 rounded-xl" />;
  const { data } = usage;
  const whole = data.bytes + (data.free ?? data.bytes);
  const names: Record<string, string> = {
    video: t("clips"),
    thumbnail: t("thumbnails"),
    spritesheet: t("sheets"),
    image: t("uploaded pictures"),
    data: t("other files"),
  };
  return (
    <div className="flex flex-col gap-5">
      <div>
        <p className="text-2xl font-semibold tabular">{bytes(data.bytes)}</p>
        <p className="text-text-3">
          {t("{count} clips on {where}", {
            count: number(data.clips),
            where: data.location === "this machine" ? t("this machine") : t("object storage"),
          })}
          {data.free !== null && ` · ${t("{free} free", { free: bytes(data.free) })}`}
        </p>
        <div
          role="img"
          aria-label={t("{part} % of the room is used by clips", { part: ((100 * data.bytes) / whole).toFixed(1) })}
          className="mt-3 h-2 overflow-hidden rounded-full bg-line-strong"
        >
          <div className="dawn h-full" style={{ width: `${Math.max(0.5, (100 * data.bytes) / whole)}%` }} />
        </div>
      </div>
      <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1.5">
        {Object.entries(data.by_variant).map(([variant, size]) => (
          <div key={variant} className="contents">
            <dt className="text-text-3">{names[variant] ?? variant}</dt>
            <dd className="tabular">{bytes(size)}</dd>
          </div>
        ))}
      </dl>
      <p className="text-sm text-text-3">
        {t("Nothing expires by itself.")}{" "}
        {Boolean(facets.data?.trashed) && (
          <Link to="/library" search={{ trashed: true }} className="text-accent-text underline">
            {t("{count} clips in the trash can be deleted for good.", { count: number(facets.data?.trashed ?? 0) })}
          </Link>
        )}
      </p>
    </div>
  );
}
