import { visit } from "@hotwired/turbo"
import { Controller } from "@hotwired/stimulus"
import { DialogHeader, pageAt, signedOut, unreachable, type Done, type Refusal } from "../page"

// Opens the pages about an appointment in a dialog over the schedule. What is sent from it either comes back as a page with what is wrong, which replaces the dialog's content,
// or is done: then the dialog closes and the schedule is told. Without script the same links and forms are pages of their own.
export default class extends Controller<HTMLElement> {
  static override targets = ["dialog", "booking"]
  declare readonly dialogTarget: HTMLDialogElement
  declare readonly bookingTarget: HTMLTemplateElement
  declare readonly hasBookingTarget: boolean
  private readonly submit = (event: SubmitEvent) => this.onSubmit(event)
  private readonly click = (event: MouseEvent) => this.onClick(event)
  private readonly fetched = (event: Event) => { void this.load((event as CustomEvent<string>).detail) }
  private readonly place = (event: Event) => this.showBooking((event as CustomEvent<Record<string, string>>).detail)

  override connect(): void {
    this.element.addEventListener("submit", this.submit)
    this.dialogTarget.addEventListener("click", this.click)
    this.element.addEventListener("diary:place", this.place)
    this.element.addEventListener("diary:load", this.fetched)
  }

  override disconnect(): void {
    this.element.removeEventListener("submit", this.submit)
    this.dialogTarget.removeEventListener("click", this.click)
    this.element.removeEventListener("diary:place", this.place)
    this.element.removeEventListener("diary:load", this.fetched)
    if (this.dialogTarget.open) this.dialogTarget.close()
  }

  open(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    void this.load((event.currentTarget as HTMLAnchorElement).href)
  }

  book(event: Event): void {
    if (!this.hasBookingTarget) return
    event.preventDefault()
    const place = new CustomEvent<Record<string, string>>("diary:where", { bubbles: true, detail: {} })
    this.element.querySelector("[data-controller~=diary]")?.dispatchEvent(place)
    this.showBooking(place.detail)
  }

  private showBooking(fields: Record<string, string>): void {
    if (!this.hasBookingTarget) return
    const content = (this.bookingTarget.content.cloneNode(true) as DocumentFragment).querySelector<HTMLElement>("[data-dialog]")!
    for (const [name, value] of Object.entries(fields)) {
      const field = content.querySelector<HTMLInputElement | HTMLSelectElement>(`[name="${name}"]`)
      if (field && value) field.value = value
    }
    this.show(content)
  }

  private async load(url: string): Promise<void> {
    const page = await pageAt(url)
    if (!page) { visit(url); return }
    this.showPage(page)
  }

  private showPage(page: Document): void {
    const content = page.querySelector<HTMLElement>("main [data-dialog]") ?? page.querySelector<HTMLElement>(".error-page")
    if (!content) { location.reload(); return }
    const told = page.querySelector(".booking-page > .flash")
    if (told) content.prepend(document.adoptNode(told))
    this.show(document.adoptNode(content))
  }

  private show(content: HTMLElement): void {
    const dialog = this.dialogTarget
    const head = document.createElement("header")
    head.className = "diary-dialog-head"
    const title = document.createElement("h2")
    title.id = "diary-dialog-title"
    title.textContent = content.dataset.dialogTitle ?? content.querySelector("h1")?.textContent ?? "Appointment"
    content.querySelector("h1")?.remove()
    const close = document.createElement("button")
    close.type = "button"
    close.className = "btn btn-icon btn-ghost"
    close.setAttribute("aria-label", "Close")
    close.dataset.dialogClose = ""
    close.textContent = "×"
    head.append(title, close)
    dialog.replaceChildren(head, content)
    if (!dialog.open) dialog.showModal()
    dialog.scrollTop = 0
    const first = content.querySelector<HTMLElement>(".error-summary, .booking-slots button") ?? [...content.querySelectorAll<HTMLElement>("[autofocus], input:not([type=hidden]), select, .btn-primary, a, button")].find(one => one.checkVisibility())
    ;(first ?? dialog).focus()
  }

  private onClick(event: MouseEvent): void {
    const target = event.target as Element
    const close = target.closest("[data-dialog-close]")
    const link = target.closest<HTMLAnchorElement>("a[data-dialog-link]")
    if (close) {
      event.preventDefault()
      this.dialogTarget.close()
    } else if (link && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault()
      void this.load(link.href)
    }
  }

  private onSubmit(event: SubmitEvent): void {
    const form = event.target as HTMLFormElement
    if (!form.hasAttribute("data-dialog-form")) return
    event.preventDefault()
    void this.send(form, event.submitter as HTMLButtonElement | null)
  }

  private async send(form: HTMLFormElement, submitter: HTMLButtonElement | null): Promise<void> {
    if (form.dataset.sending) return
    form.dataset.sending = "true"
    try {
      const fields = new FormData(form)
      if (submitter?.name) fields.append(submitter.name, submitter.value)
      const url = submitter?.getAttribute("formaction") ?? form.action
      const answer = await fetch(url, { method: "POST", body: new URLSearchParams(fields as unknown as Record<string, string>), headers: DialogHeader })
      if (answer.redirected) { this.tell(form, signedOut); return }
      if (answer.headers.get("Content-Type")?.includes("application/json")) {
        const done = await answer.json() as Done
        if (this.dialogTarget.open) this.dialogTarget.close()
        document.dispatchEvent(new CustomEvent<Done>("diary:done", { detail: done }))
        return
      }
      this.showPage(new DOMParser().parseFromString(await answer.text(), "text/html"))
      if (submitter?.name === "slot") this.dialogTarget.querySelector<HTMLElement>("[data-dialog-form] .btn-primary")?.focus()
    } catch {
      this.tell(form, unreachable)
    } finally {
      delete form.dataset.sending
    }
  }

  // What keeps the form from being sent is said beside it, and everything typed stays.
  private tell(form: HTMLFormElement, refusal: Refusal): void {
    form.parentElement?.querySelector(":scope > .dialog-problem")?.remove()
    const told = document.createElement("p")
    told.className = "flash flash-danger dialog-problem"
    told.setAttribute("role", "alert")
    told.textContent = `${refusal.title} ${refusal.next}`
    form.before(told)
  }
}
