import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { root, send } from "@/api/client";
import { studioQuery } from "@/api/library";
import { client } from "@/api/query";
import { Button, Segmented } from "@/components/controls";
import { Copyable } from "@/components/states";
import { t } from "@/lib/i18n";

type Language = "shell" | "python" | "node" | "curl";

/** The two lines that move a program over from OpenAI, filled in. */
export function Connect() {
  const studio = useQuery(studioQuery);
  const [language, setLanguage] = useState<Language>("shell");
  const base = new URL("v1", root).href;
  const key = studio.data?.needs_key ? "sk-daybreak-…" : "none";
  const texts: Record<Language, string> = {
    shell: `export OPENAI_BASE_URL=${base}\nexport OPENAI_API_KEY=${key}`,
    python: `from openai import OpenAI\n\nclient = OpenAI(base_url="${base}", api_key="${key}")\nvideo = client.videos.create_and_poll(model="sora-2", prompt="a penguin dances on the snow", seconds="4")\nclient.videos.download_content(video.id).write_to_file("penguin.mp4")`,
    node: `import OpenAI from "openai";\n\nconst client = new OpenAI({ baseURL: "${base}", apiKey: "${key}" });\nconst video = await client.videos.create({ model: "sora-2", prompt: "a penguin dances on the snow", seconds: "4" });`,
    curl: `curl ${base}/videos \\\n  -H "Authorization: Bearer ${key}" \\\n  -F model=sora-2 -F seconds=4 \\\n  -F prompt="a penguin dances on the snow"`,
  };
  return (
    <div className="flex flex-col gap-4">
      <p className="text-text-2">
        {t("Programs written for OpenAI's Videos API work with this server: change the address, keep the code.")}
      </p>
      <Segmented
        label={t("Language")}
        value={language}
        onChange={setLanguage}
        choices={[
          { value: "shell", label: t("Two lines") },
          { value: "python", label: "Python" },
          { value: "node", label: "Node" },
          { value: "curl", label: "curl" },
        ]}
      />
      <div className="rounded-xl border border-line bg-panel">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reachable by keyboard */}
        <pre tabIndex={0} className="overflow-x-auto p-4 font-mono text-sm leading-6">
          {texts[language]}
        </pre>
        <div className="flex justify-end border-t border-line px-4 py-2 text-sm text-text-2">
          <Copyable text={texts[language]} label={t("Copy")} />
        </div>
      </div>
      {!studio.data?.needs_key && (
        <p className="text-sm text-text-3">{t("On this machine alone no key is asked for; any word will do.")}</p>
      )}
    </div>
  );
}

export function About() {
  const studio = useQuery(studioQuery);
  const signOut = async () => {
    await send("DELETE", "studio/session");
    await client.invalidateQueries();
  };
  return (
    <div className="flex flex-col items-start gap-4">
      <p className="text-text-2">
        {t(
          "Daybreak turns sentences into clips on your own machines: model, engine, API and studio are open and yours. It sends nothing anywhere.",
        )}
      </p>
      <p className="text-sm text-text-3">
        {t("Version {version}", { version: studio.data?.version ?? "–" })} · Apache-2.0 ·{" "}
        <a className="underline" href={new URL("openapi.json", root).href}>
          openapi.json
        </a>{" "}
        ·{" "}
        <a className="underline" href={new URL("NOTICES.txt", root).href}>
          {t("licences of what it is built with")}
        </a>
      </p>
      {studio.data?.needs_key && <Button onClick={() => void signOut()}>{t("Sign out")}</Button>}
    </div>
  );
}
