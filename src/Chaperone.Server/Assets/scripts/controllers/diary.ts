import { visit } from "@hotwired/turbo"
import { Controller } from "@hotwired/stimulus"
import { Drag, type Board, type Place } from "../diary/drag"
import { clock, layOut, place, spanOf, Step, takeOver } from "../diary/layout"
import { BackgroundHeader, DialogHeader, pageAt, refusalOf, unreachable, Watch, type Done, type Refusal } from "../page"

const OutsideHours = "CHP-SCHEDULE-0009"

interface Offer { label: string; act: () => void }
interface Was { practitioner: string; day: string; from: number; to: number; name: string }

// Puts the lists of the schedule on a grid of time, keeps them up to date, and lets appointments be moved by mouse, finger and keys. Every change goes to the server first-hand; what it refuses snaps back.
export default class extends Controller<HTMLElement> implements Board {
  static override targets = ["scroll", "times", "column", "list", "said", "toast"]
  static override values = { from: Number, to: Number, now: Number, today: String, stamp: String, watch: String, edit: Boolean, book: Boolean, token: String }
  declare readonly scrollTarget: HTMLElement
  declare readonly timesTarget: HTMLElement
  declare readonly columnTargets: HTMLElement[]
  declare readonly listTargets: HTMLElement[]
  declare readonly saidTarget: HTMLElement
  declare readonly toastTarget: HTMLElement
  declare fromValue: number
  declare toValue: number
  declare readonly nowValue: number
  declare readonly todayValue: string
  declare readonly stampValue: string
  declare readonly watchValue: string
  declare readonly editValue: boolean
  declare readonly bookValue: boolean
  declare readonly tokenValue: string
  private drag: Drag | null = null
  private watch: Watch | null = null
  private ticking = 0
  private toasting = 0
  private readonly opened = performance.now()
  private carried: { item: HTMLElement; at: Place } | null = null
  private readonly done = (event: Event) => { void this.afterDialog((event as CustomEvent<Done>).detail) }
  private readonly where = (event: Event) => Object.assign((event as CustomEvent<Record<string, string>>).detail, this.placeOfFocus())

  get scroll(): HTMLElement { return this.scrollTarget }
  get columns(): HTMLElement[] { return this.columnTargets }
  get from(): number { return this.fromValue }
  get to(): number { return this.toValue }
  get mayEdit(): boolean { return this.editValue }
  get mayBook(): boolean { return this.bookValue }

  override connect(): void {
    this.element.classList.add("is-live")
    this.element.style.setProperty("--columns", String(this.columnTargets.length))
    this.draw()
    this.drag = new Drag(this)
    this.watch = new Watch(this.watchValue, this.stampValue, async () => { if (!this.drag?.busy && !this.carried) await this.refresh(true) })
    this.ticking = window.setInterval(() => this.drawNow(), 30_000)
    document.addEventListener("diary:done", this.done)
    this.element.addEventListener("diary:where", this.where)
    this.scrollToNow()
  }

  override disconnect(): void {
    this.drag?.stop()
    this.watch?.stop()
    clearInterval(this.ticking)
    clearTimeout(this.toasting)
    document.removeEventListener("diary:done", this.done)
    this.element.removeEventListener("diary:where", this.where)
    this.element.classList.remove("is-live")
  }

  minuteAt(column: HTMLElement, y: number): number {
    const box = column.querySelector(".diary-items")!.getBoundingClientRect()
    return this.fromValue + (y - box.top) / box.height * (this.toValue - this.fromValue)
  }

  // Drawing

  private draw(): void {
    this.element.style.setProperty("--from", String(this.fromValue))
    this.element.style.setProperty("--to", String(this.toValue))
    this.timesTarget.replaceChildren(...Array.from({ length: Math.floor((this.toValue - this.fromValue) / 60) }, (_, hour) => {
      const label = document.createElement("span")
      label.textContent = clock(this.fromValue + hour * 60)
      label.style.setProperty("--f", String(this.fromValue + hour * 60))
      return label
    }))
    for (const list of this.listTargets) {
      layOut(list)
      if (this.editValue) for (const item of list.querySelectorAll<HTMLElement>(".appt[data-move]:not(:has(.appt-edge))")) {
        const edge = document.createElement("span")
        edge.className = "appt-edge"
        edge.setAttribute("aria-hidden", "true")
        item.append(edge)
      }
    }
    for (const shade of this.element.querySelectorAll<HTMLElement>(".diary-shade")) {
      const { from, to } = spanOf(shade)
      shade.style.setProperty("--f", String(Math.max(this.fromValue, from)))
      shade.style.setProperty("--t", String(Math.max(this.fromValue, Math.min(this.toValue, to))))
    }
    this.drawNow()
  }

  private get now(): number {
    return this.nowValue + Math.floor((performance.now() - this.opened) / 60_000)
  }

  private drawNow(): void {
    const now = this.now
    if (now >= 24 * 60 && !this.element.closest(".diary-page")?.querySelector("dialog[open]")) { visit(location.href, { action: "replace" }); return }
    for (const column of this.columnTargets) {
      const list = column.querySelector(".diary-items")!
      let line = list.querySelector<HTMLElement>(".diary-now")
      if (column.dataset.day !== this.todayValue || now < this.fromValue || now > this.toValue) { line?.remove(); continue }
      if (!line) {
        line = document.createElement("li")
        line.className = "diary-now"
        line.setAttribute("aria-hidden", "true")
        list.append(line)
      }
      line.style.setProperty("--f", String(now))
    }
  }

  private scrollToNow(): void {
    const today = this.columnTargets.some(column => column.dataset.day === this.todayValue)
    const first = Math.min(...[...this.element.querySelectorAll<HTMLElement>(".appt")].map(item => spanOf(item).from), 9 * 60)
    const to = today && this.now > this.fromValue && this.now < this.toValue ? this.now - 60 : first
    const list = this.listTargets[0]
    if (list) this.scrollTarget.scrollTop = (to - this.fromValue) / (this.toValue - this.fromValue) * list.clientHeight - 8
    const column = this.columnTargets.find(one => one.dataset.day === this.todayValue)
    if (column && this.columnTargets.some(one => one.dataset.day !== this.todayValue)) this.scrollTarget.scrollLeft = column.offsetLeft - this.timesTarget.offsetWidth
  }

  // Keeping up

  private async refresh(background: boolean): Promise<void> {
    const page = await pageAt(location.href, background ? BackgroundHeader : {})
    const fresh = page?.querySelector<HTMLElement>(".diary")
    if (!page || !fresh) return
    if (this.drag?.busy) { setTimeout(() => void this.refresh(background), 1000); return }   // not under somebody's hand
    this.watch?.set(fresh.dataset.diaryStampValue ?? "")
    if (!takeOver(this.element, page)) {
      if (!document.querySelector("dialog[open]")) visit(location.href, { action: "replace" })
      return
    }
    this.fromValue = Math.min(this.fromValue, Number(fresh.dataset.diaryFromValue))
    this.toValue = Math.max(this.toValue, Number(fresh.dataset.diaryToValue))
    this.draw()
    this.carried?.item.classList.add("is-moving")
    if (background) this.say("The schedule has changed.")
  }

  private async afterDialog(done: Done): Promise<void> {
    const { id, day, said } = done
    await this.refresh(false)
    const link = this.linkOf(id)
    const elsewhere = !this.columnTargets.some(column => column.dataset.day === day)
    this.toast(said, false, elsewhere ? { label: "Show that day", act: () => visit(`/schedule?day=${day}`) } : undefined, done.status === "cancelled" ? this.offer(done.waiting, done.practitioner, done.from, done.to) : undefined)
    link?.focus()
  }

  // A time that is free again can be offered to who waits for one.
  private offer(waiting: number, practitioner: string, startsAt: string, endsAt: string): Offer | undefined {
    if (!waiting) return undefined
    return { label: "Offer it", act: () => this.element.dispatchEvent(new CustomEvent("diary:load", { bubbles: true, detail: `/schedule/offers?${new URLSearchParams({ practitioner, startsAt, endsAt })}` })) }
  }

  private linkOf(id: string): HTMLElement | null {
    return this.itemOf(id)?.querySelector<HTMLElement>(".appt-open") ?? null
  }

  private itemOf(id = ""): HTMLElement | null {
    return this.element.querySelector<HTMLElement>(`.appt[data-id="${CSS.escape(id)}"]`)
  }

  private columnOf(practitioner: string, day: string): HTMLElement | undefined {
    return this.columnTargets.find(column => column.dataset.practitioner === practitioner && column.dataset.day === day)
  }

  // Booking

  chosen(at: Place, dragged: boolean): void {
    const detail = { practitionerId: at.column.dataset.practitioner ?? "", date: at.column.dataset.day ?? "", time: clock(at.from), minutes: dragged ? String(at.to - at.from) : "" }
    this.element.dispatchEvent(new CustomEvent("diary:place", { bubbles: true, detail }))
  }

  private placeOfFocus(): Record<string, string> {
    const item = document.activeElement?.closest<HTMLElement>(".appt")
    const column = item?.closest<HTMLElement>(".diary-column")
    if (item && column) return { practitionerId: column.dataset.practitioner ?? "", date: column.dataset.day ?? "", time: clock(spanOf(item).to) }
    const day = this.columnTargets[0]?.dataset.day ?? this.todayValue
    return day === this.todayValue ? { date: day, time: clock(Math.min(23 * 60 + 45, Math.ceil(this.now / 15) * 15)) } : { date: day }
  }

  // Moving

  moved(item: HTMLElement, to: Place): void {
    const column = item.closest<HTMLElement>(".diary-column")!
    const was: Was = { practitioner: column.dataset.practitioner!, day: column.dataset.day!, ...spanOf(item), name: this.nameOf(item) }
    this.put(item, to.column, to.from, to.to)
    void this.send(item, to.column.dataset.practitioner!, to.column.dataset.day!, to.from, to.to, was)
  }

  private nameOf(item: HTMLElement): string {
    return item.querySelector(".appt-name")?.textContent?.trim() ?? ""
  }

  private put(item: HTMLElement, column: HTMLElement, from: number, to: number): void {
    const focused = item.contains(document.activeElement)
    const [old, list] = [item.closest<HTMLElement>(".diary-items")!, column.querySelector<HTMLElement>(".diary-items")!]
    item.dataset.from = String(from)
    item.dataset.to = String(to)
    if (old !== list) list.append(item)
    layOut(list)
    if (old !== list) layOut(old)
    if (focused) item.querySelector<HTMLElement>(".appt-open")?.focus({ preventScroll: true })
  }

  private async send(item: HTMLElement, practitioner: string, day: string, from: number, to: number, was: Was, undoing = false, outsideHours = false): Promise<void> {
    item.classList.add("is-saving")
    let refused: Refusal | null = null
    let waiting = 0
    try {
      const answer = await fetch(`/schedule/appointments/${item.dataset.id}/move`, {
        method: "POST", headers: DialogHeader,
        body: new URLSearchParams({ __token: this.tokenValue, version: item.dataset.version ?? "", practitionerId: practitioner, date: day, time: clock(from), minutes: String(to - from), confirmOutsideHours: String(outsideHours || undoing) }),
      })
      if (answer.ok && !answer.redirected) {
        const done = await answer.json() as Done
        item.dataset.version = String(done.version)
        waiting = done.waiting
      } else refused = await refusalOf(answer)
    } catch { refused = unreachable }
    item.classList.remove("is-saving")
    if (refused) {
      const home = this.columnOf(was.practitioner, was.day)
      if (home && item.isConnected) this.put(item, home, was.from, was.to)
      if (refused.code === OutsideHours) {
        this.toast(`${was.name} was not moved: ${clock(from)} is outside the practitioner's working hours.`, true, { label: "Move there anyway", act: () => {
          const [known, column] = [this.itemOf(item.dataset.id), this.columnOf(practitioner, day)]
          if (!known || !column) return
          this.put(known, column, from, to)
          void this.send(known, practitioner, day, from, to, was, false, true)
        } })
        return
      }
      this.toast(`${was.name} was not moved. ${refused.title} ${refused.status === 409 || refused.status === 412 ? "The schedule shows how it is now." : refused.next}`, true)
      if (refused.status === 409 || refused.status === 412) await this.refresh(false)
      return
    }
    await this.refresh(false)
    const column = this.columnOf(practitioner, day)
    const told = `${was.name}: ${clock(from)}–${clock(to)}${column && (was.practitioner !== practitioner || was.day !== day) ? `, ${column.dataset.name}` : ""}.`
    this.toast(undoing ? `Put back. ${told}` : `Moved. ${told}`, false, undoing ? undefined : { label: "Undo", act: () => {
      const [known, home] = [this.itemOf(item.dataset.id), this.columnOf(was.practitioner, was.day)]
      if (!home || !known) return
      const here: Was = { practitioner, day, from, to, name: was.name }
      this.put(known, home, was.from, was.to)
      known.querySelector<HTMLElement>(".appt-open")?.focus()
      void this.send(known, was.practitioner, was.day, was.from, was.to, here, true)
    } }, undoing ? undefined : this.offer(waiting, was.practitioner, `${was.day}T${clock(was.from)}`, `${was.day}T${clock(was.to)}`))
  }

  // Keys on an appointment

  walk(event: KeyboardEvent): void {
    if (event.ctrlKey || event.altKey || event.metaKey) return
    const item = (event.currentTarget as HTMLElement).closest<HTMLElement>(".appt")!
    if (this.carried) { this.carry(event); return }
    if (event.key === "m" && this.editValue && this.singleKeys) {
      event.preventDefault()
      if (!item.dataset.move) { this.say("This appointment cannot be moved any more."); return }
      this.carried = { item, at: { column: item.closest<HTMLElement>(".diary-column")!, ...spanOf(item) } }
      item.classList.add("is-moving")
      item.addEventListener("focusout", this.dropped)
      this.showCarried("Moving. Arrows move it, Shift and arrows change its length, Enter keeps it, Escape leaves it.")
      return
    }
    const to = this.neighbour(item, event.key)
    if (!to) return
    event.preventDefault()
    to.querySelector<HTMLElement>(".appt-open")?.focus()
  }

  private get singleKeys(): boolean {
    try { return localStorage.getItem("chaperone.shortcuts") !== "off" } catch { return true }
  }

  private neighbour(item: HTMLElement, key: string): HTMLElement | undefined {
    const column = item.closest<HTMLElement>(".diary-column")!
    const inOrder = (of: HTMLElement) => [...of.querySelectorAll<HTMLElement>(".appt")].sort((a, b) => spanOf(a).from - spanOf(b).from)
    if (key === "ArrowDown" || key === "ArrowUp") {
      const items = inOrder(column)
      return items[items.indexOf(item) + (key === "ArrowDown" ? 1 : -1)]
    }
    if (key !== "ArrowLeft" && key !== "ArrowRight") return undefined
    const step = key === "ArrowRight" ? 1 : -1
    const from = spanOf(item).from
    for (let at = this.columnTargets.indexOf(column) + step; this.columnTargets[at]; at += step) {
      const nearest = inOrder(this.columnTargets[at]!).sort((a, b) => Math.abs(spanOf(a).from - from) - Math.abs(spanOf(b).from - from))[0]
      if (nearest) return nearest
    }
    return undefined
  }

  private readonly dropped = (event: FocusEvent) => {
    if (this.carried && !this.carried.item.contains(event.relatedTarget as Node | null)) this.drop("Left where it was.")
  }

  private carry(event: KeyboardEvent): void {
    const { item, at } = this.carried!
    const length = at.to - at.from
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const updown = { ArrowUp: -Step, ArrowDown: Step }[event.key]
    if (event.key === "Tab") { this.drop("Left where it was."); return }
    event.preventDefault()
    event.stopPropagation()
    if (event.key === "Escape") this.drop("Left where it was.")
    else if (event.key === "Enter" || event.key === "m") {
      this.drop()
      const column = item.closest<HTMLElement>(".diary-column")
      const { from, to } = spanOf(item)
      if (at.column !== column || at.from !== from || at.to !== to) this.moved(item, at)
    } else if (updown && event.shiftKey) {
      at.to = Math.max(at.from + Step, Math.min(this.toValue, at.to + updown))
      this.showCarried()
    } else if (updown) {
      at.from = Math.max(this.fromValue, Math.min(this.toValue - length, at.from + updown))
      at.to = at.from + length
      this.showCarried()
    } else if (sideways) {
      at.column = this.columnTargets[this.columnTargets.indexOf(at.column) + sideways] ?? at.column
      this.showCarried()
    }
  }

  private showCarried(hint = ""): void {
    const { item, at } = this.carried!
    this.drag?.show(at, this.nameOf(item))
    at.column.querySelector(".appt-ghost")?.scrollIntoView({ block: "nearest", inline: "nearest" })
    this.say(hint || `${clock(at.from)} to ${clock(at.to)}, ${at.column.dataset.name}`)
  }

  private drop(said = ""): void {
    const { item } = this.carried!
    this.carried = null
    item.removeEventListener("focusout", this.dropped)
    item.classList.remove("is-moving")
    this.drag?.show(null)
    place(item, spanOf(item).from, Math.max(spanOf(item).to, spanOf(item).from + 10))
    if (said) this.say(said)
  }

  // Telling

  private say(text: string): void {
    this.saidTarget.textContent = text
  }

  private toast(text: string, bad = false, ...offers: (Offer | undefined)[]): void {
    clearTimeout(this.toasting)
    const toast = this.toastTarget
    toast.classList.toggle("diary-toast-bad", bad)
    const told = document.createElement("span")
    told.textContent = text
    const buttons: HTMLElement[] = []
    const button = (label: string, act: () => void) => {
      const made = document.createElement("button")
      made.type = "button"
      made.className = "btn btn-sm"
      made.textContent = label
      made.addEventListener("click", () => { toast.hidden = true; act() })
      buttons.push(made)
    }
    for (const offer of offers) if (offer) button(offer.label, offer.act)
    button("Dismiss", () => undefined)
    toast.replaceChildren(told, ...buttons)
    toast.hidden = false
    this.toasting = window.setTimeout(() => { if (!toast.contains(document.activeElement) && !toast.matches(":hover")) toast.hidden = true }, bad ? 30_000 : 12_000)
  }
}
