import { Controller } from "@hotwired/stimulus"

// Opens what a link loads into the frame beside the list. Without script the link leads to a page of its own.
export default class extends Controller<HTMLElement> {
  static override targets = ["dialog", "frame"]
  declare readonly dialogTarget: HTMLDialogElement
  declare readonly frameTarget: HTMLTurboFrame
  private opener: HTMLElement | null = null
  private readonly loaded = () => this.show()
  private readonly closed = () => this.forget()
  private readonly click = (event: MouseEvent) => { if (event.target === this.dialogTarget) this.dialogTarget.close() }

  override connect(): void {
    this.frameTarget.addEventListener("turbo:frame-load", this.loaded)
    this.dialogTarget.addEventListener("close", this.closed)
    this.dialogTarget.addEventListener("click", this.click)
  }

  override disconnect(): void {
    this.frameTarget.removeEventListener("turbo:frame-load", this.loaded)
    this.dialogTarget.removeEventListener("close", this.closed)
    this.dialogTarget.removeEventListener("click", this.click)
    if (this.dialogTarget.open) this.dialogTarget.close()
  }

  // To come back to, whatever has the focus when the answer is there.
  opening(event: Event): void {
    this.opener = event.currentTarget as HTMLElement
  }

  private show(): void {
    if (!this.dialogTarget.open) this.dialogTarget.showModal()
    this.dialogTarget.scrollTop = 0
    this.frameTarget.querySelector<HTMLElement>("[autofocus]")?.focus()
  }

  private forget(): void {
    this.frameTarget.removeAttribute("src")
    this.frameTarget.replaceChildren()
    this.opener?.focus()
  }
}
