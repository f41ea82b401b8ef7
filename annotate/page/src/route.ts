// What the address bar asks for.

export interface Route { page: "editor" | "dashboard"; item: string | null }

/** The dashboard, an item, or the next of the queue, also where the escapes of an address are broken. */
export function parseRoute(hash: string): Route {
  if (hash === "#/dashboard") return { page: "dashboard", item: null };
  const match = /^#\/item\/(.+)$/.exec(hash);
  if (!match) return { page: "editor", item: null };
  try {
    return { page: "editor", item: decodeURIComponent(match[1]) };
  } catch {
    return { page: "editor", item: null };
  }
}
