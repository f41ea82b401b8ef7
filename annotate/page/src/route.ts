// What the address bar asks for.

export type Page = "editor" | "dashboard" | "review";

/** item is one to label, or the case to review. */
export interface Route { page: Page; item: string | null }

/** The dashboard, a review, an item, or the next of the queue, also where the escapes of an address are broken. */
export function parseRoute(hash: string): Route {
  if (hash === "#/dashboard") return { page: "dashboard", item: null };
  const match = /^#\/(item|review)(?:\/(.+))?$/.exec(hash), page = match?.[1] === "review" ? "review" : "editor";
  if (!match?.[2]) return { page, item: null };
  try {
    return { page, item: decodeURIComponent(match[2]) };
  } catch {
    return { page, item: null };
  }
}
