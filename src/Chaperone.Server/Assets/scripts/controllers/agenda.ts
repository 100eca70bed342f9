import { Controller } from "@hotwired/stimulus"
import { BackgroundHeader, pageAt, Watch, type Done } from "../page"

// One's own day keeps itself up to date: the list is replaced when something changed, and what had the focus has it again.
export default class extends Controller<HTMLElement> {
  static override values = { stamp: String, watch: String }
  declare stampValue: string
  declare readonly watchValue: string
  private watch: Watch | null = null
  private readonly done = (event: Event) => { void this.refresh(false, (event as CustomEvent<Done>).detail.said) }

  override connect(): void {
    this.watch = new Watch(this.watchValue, this.stampValue, () => this.refresh(true))
    document.addEventListener("diary:done", this.done)
  }

  override disconnect(): void {
    this.watch?.stop()
    document.removeEventListener("diary:done", this.done)
  }

  private async refresh(background: boolean, said = ""): Promise<void> {
    const page = await pageAt(location.href, background ? BackgroundHeader : {})
    const fresh = page?.getElementById(this.element.id)
    if (!fresh) return
    const had = this.element.contains(document.activeElement) ? document.activeElement as HTMLElement : null
    const action = had?.closest("form")?.getAttribute("action") ?? had?.getAttribute("href")
    this.watch?.set(fresh.getAttribute("data-agenda-stamp-value") ?? "")
    this.element.replaceChildren(...document.adoptNode(fresh).childNodes)
    if (said) {
      const told = document.createElement("p")
      told.className = "visually-hidden"
      told.setAttribute("role", "status")
      this.element.append(told)
      told.textContent = said
    }
    if (had || !background) {
      const again = action ? this.element.querySelector<HTMLElement>(`form[action="${CSS.escape(action)}"] button, a[href="${CSS.escape(action)}"]`) : null
      ;(again ?? this.element.querySelector<HTMLElement>(".mine-next button, .mine-next a, .agenda a"))?.focus({ preventScroll: true })
    }
  }
}
