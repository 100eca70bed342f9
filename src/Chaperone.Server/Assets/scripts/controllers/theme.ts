import { Controller } from "@hotwired/stimulus"

// Light, dark or the system's choice, kept in this browser. The buttons are hidden until script runs, as they do nothing without.
export default class extends Controller<HTMLElement> {
  static override targets = ["choice"]
  declare readonly choiceTargets: HTMLButtonElement[]
  private readonly system = matchMedia("(prefers-color-scheme: dark)")
  private readonly apply = () => this.show()

  override connect(): void {
    this.element.hidden = false
    this.system.addEventListener("change", this.apply)
    this.show()
  }

  override disconnect(): void {
    this.system.removeEventListener("change", this.apply)
  }

  choose(event: Event): void {
    const choice = (event.currentTarget as HTMLButtonElement).value
    try { localStorage.setItem("chaperone.theme", choice) } catch { /* private window without storage: holds for this page only */ }
    this.show(choice)
  }

  private show(choice = this.stored): void {
    const dark = choice === "dark" || (choice === "auto" && this.system.matches)
    document.documentElement.dataset.bsTheme = dark ? "dark" : "light"
    for (const button of this.choiceTargets) button.setAttribute("aria-pressed", String(button.value === choice))
  }

  private get stored(): string {
    try { return localStorage.getItem("chaperone.theme") ?? "auto" } catch { return "auto" }
  }
}
