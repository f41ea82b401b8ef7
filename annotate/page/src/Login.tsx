import { useState } from "preact/hooks";
import { api, ApiError } from "./api";

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
      <label>Name
        <input name="name" autocomplete="username" required autofocus value={name} onInput={(e) => setName(e.currentTarget.value)} />
      </label>
      <label>Token <span class="quiet">if the server asks for one</span>
        <input name="token" type="password" autocomplete="current-password" value={token} onInput={(e) => setToken(e.currentTarget.value)} />
      </label>
      <p class="problem" role="alert">{problem}</p>
      <button class="primary" disabled={busy}>Log in</button>
      <p class="quiet">Your name is stored with each label that you save.</p>
    </form>
  </main>;
}
