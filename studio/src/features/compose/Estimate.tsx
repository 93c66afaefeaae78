import { useQuery } from "@tanstack/react-query";
import { type EstimateQuestion, estimateQuery } from "@/api/library";
import { usePaused } from "@/api/live";
import { roughly } from "@/lib/format";
import { t } from "@/lib/i18n";

/** How long such clips take here, as this machine's own finished ones tell, and what the queue has to do before. */
export function Estimate(question: EstimateQuestion) {
  const paused = usePaused();
  const estimate = useQuery({ ...estimateQuery(question), enabled: Boolean(question.model) && question.seconds > 0 });
  if (!estimate.data) return <span>&nbsp;</span>;
  const { seconds: work, waiting } = estimate.data;
  if (work === null) return <span>{t("No estimate yet: the first clip of this model and size teaches it.")}</span>;
  return (
    <span className="tabular">
      {t("{time} on this machine", { time: roughly(work) })}
      {waiting ? ` · ${t("after {time} of waiting", { time: roughly(waiting) })}` : ""}
      {paused && ` · ${t("once the queue goes on")}`}
    </span>
  );
}
