import { CSPProvider } from "@base-ui/react/csp-provider";
import { Toast } from "@base-ui/react/toast";
import { Tooltip } from "@base-ui/react/tooltip";
import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { client } from "@/api/query";
import { toasts } from "@/components/toasts";
import { loadLanguage } from "@/lib/i18n";
import { usePreferences, watchPreferences } from "@/lib/preferences";
import { router } from "@/router";
import "@/styles.css";

watchPreferences();

async function start(): Promise<void> {
  await loadLanguage(usePreferences.getState().language).catch(() => undefined);
  const root = document.getElementById("root");
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      <CSPProvider disableStyleElements>
        <QueryClientProvider client={client}>
          <Tooltip.Provider delay={450}>
            <Toast.Provider toastManager={toasts} limit={4}>
              <RouterProvider router={router} />
            </Toast.Provider>
          </Tooltip.Provider>
        </QueryClientProvider>
      </CSPProvider>
    </StrictMode>,
  );
}

void start();
