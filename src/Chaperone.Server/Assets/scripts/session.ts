import { cache } from "@hotwired/turbo"

// What signing out must take with it: Turbo's copies of pages, the other tabs, and pages the browser kept for "Back".
export function guardSession(): void {
  const tabs = "BroadcastChannel" in window ? new BroadcastChannel("chaperone.session") : null
  tabs?.addEventListener("message", event => {
    if (event.data === "signed-out") { cache.clear(); location.reload() }
  })

  document.addEventListener("submit", event => {
    if (!(event.target instanceof HTMLFormElement) || !event.target.hasAttribute("data-sign-out")) return
    cache.clear()
    // The other tabs reload when the session has ended on the server, not before: this page is leaving by then.
    addEventListener("pagehide", () => tabs?.postMessage("signed-out"), { once: true })
  })

  addEventListener("pageshow", event => { if (event.persisted) location.reload() })

  // A frame answered by another page (the session ended: sign-in) becomes the whole page instead of "Content missing".
  document.addEventListener("turbo:frame-missing", event => {
    const { detail } = event as FrameMissing
    if (event.defaultPrevented) return
    event.preventDefault()
    // What asks by itself takes nobody away from what they are typing: they learn of it when they send it.
    if ((event.target as Element).hasAttribute("data-stays")) return
    void detail.visit(detail.response)
  })
}
