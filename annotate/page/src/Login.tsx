import { useState } from "preact/hooks";
import { api, ApiError } from "./api";
import { Languages } from "./Header";
import { t } from "./texts";

export function Login({ enter }: { enter: (name: string) => Promise<void> }) {
  const [name, setName] = useState("");
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);

  async function submit(e: Event): Promise<void> {
    e.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await enter((await api.login(name.trim(), token)).name);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      setProblem(error.message);
      setBusy(false);
    }
  }

  return <main class="login">
    <form onSubmit={submit}>
      <h1>nextslice</h1>
      <label>{t("login.name")}
        <input name="name" autocomplete="username" required autofocus value={name} onInput={(e) => setName(e.currentTarget.value)} />
      </label>
      <label>{t("login.token")} <span class="quiet">{t("login.tokenHint")}</span>
        <input name="token" type="password" autocomplete="current-password" value={token} onInput={(e) => setToken(e.currentTarget.value)} />
      </label>
      <p class="problem" role="alert">{problem}</p>
      <button class="primary" disabled={busy}>{t("login.do")}</button>
      <p class="quiet">{t("login.note")}</p>
      <Languages />
    </form>
  </main>;
}
