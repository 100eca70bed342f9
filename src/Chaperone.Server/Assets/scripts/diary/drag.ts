import { clock, spanOf, Step } from "./layout"

const Far = 5           // px the pointer must go before it is a drag
const Edge = 48         // px from the edge where the grid scrolls by itself
const HoldMs = 450      // how long a finger rests before it drags

export interface Place { column: HTMLElement; from: number; to: number }

export interface Board {
  readonly scroll: HTMLElement
  readonly columns: HTMLElement[]
  readonly from: number
  readonly to: number
  readonly mayEdit: boolean
  readonly mayBook: boolean
  minuteAt(column: HTMLElement, y: number): number
  moved(item: HTMLElement, to: Place): void
  chosen(place: Place, dragged: boolean): void
}

// Dragging appointments, their lower edge, and over free time. A ghost shows where it would be; nothing is changed before the pointer is let go.
export class Drag {
  private readonly ghost = document.createElement("div")
  private readonly down = (event: PointerEvent) => this.onDown(event)
  private readonly move = (event: PointerEvent) => this.onMove(event)
  private readonly up = (event: PointerEvent) => this.onUp(event)
  private readonly cancel = () => this.end()
  private readonly key = (event: KeyboardEvent) => { if (event.key === "Escape" && this.at) { event.stopPropagation(); this.end() } }
  private readonly click = (event: MouseEvent) => this.onClick(event)
  private readonly touch = (event: TouchEvent) => { if (this.at) event.preventDefault() }
  private readonly native = (event: Event) => event.preventDefault()
  private start: { x: number; y: number; item: HTMLElement | null; column: HTMLElement; grip: number; resize: boolean; touch: boolean } | null = null
  private at: Place | null = null
  private pointer = { x: 0, y: 0 }
  private swallow = false
  private hold = 0
  private frame = 0

  constructor(private readonly board: Board) {
    this.ghost.className = "appt-ghost"
    this.ghost.setAttribute("aria-hidden", "true")
    const { scroll } = board
    scroll.addEventListener("pointerdown", this.down)
    scroll.addEventListener("click", this.click, true)
    scroll.addEventListener("dragstart", this.native)
    scroll.addEventListener("touchmove", this.touch, { passive: false })
    addEventListener("pointermove", this.move)
    addEventListener("pointerup", this.up)
    addEventListener("pointercancel", this.cancel)
    addEventListener("keydown", this.key, true)
  }

  get busy(): boolean {
    return this.at !== null
  }

  stop(): void {
    this.end()
    const { scroll } = this.board
    scroll.removeEventListener("pointerdown", this.down)
    scroll.removeEventListener("click", this.click, true)
    scroll.removeEventListener("dragstart", this.native)
    scroll.removeEventListener("touchmove", this.touch)
    removeEventListener("pointermove", this.move)
    removeEventListener("pointerup", this.up)
    removeEventListener("pointercancel", this.cancel)
    removeEventListener("keydown", this.key, true)
  }

  private onDown(event: PointerEvent): void {
    this.swallow = false
    if (event.button !== 0 || !event.isPrimary || event.ctrlKey || event.metaKey) return
    const target = event.target as Element
    const column = target.closest<HTMLElement>(".diary-column")
    const item = target.closest<HTMLElement>(".appt")
    if (!column || !target.closest(".diary-items")) return
    if (item ? !this.board.mayEdit || !item.dataset.move : !this.mayBookIn(column)) return
    const touch = event.pointerType === "touch"
    if (touch && !item) return   // a finger on free time scrolls; a tap books
    const minute = this.board.minuteAt(column, event.clientY)
    this.start = { x: event.clientX, y: event.clientY, item, column, grip: item ? minute - spanOf(item).from : minute, resize: target.classList.contains("appt-edge"), touch }
    this.pointer = { x: event.clientX, y: event.clientY }
    if (touch) this.hold = window.setTimeout(() => { if (this.start) this.begin() }, HoldMs)
  }

  private onMove(event: PointerEvent): void {
    if (!this.start || !event.isPrimary) return
    this.pointer = { x: event.clientX, y: event.clientY }
    const far = Math.abs(event.clientX - this.start.x) > Far || Math.abs(event.clientY - this.start.y) > Far
    if (!this.at) {
      if (!far) return
      if (this.start.touch) { this.end(); return }
      this.begin()
    }
    this.follow()
  }

  private begin(): void {
    clearTimeout(this.hold)
    const { item, column } = this.start!
    this.at = { column, ...(item ? spanOf(item) : { from: 0, to: 0 }) }
    item?.classList.add("is-moving")
    document.body.classList.add(this.start!.resize || !item ? "diary-resizing" : "diary-dragging")
    this.follow()
    const step = () => { if (!this.at) return; this.scrollAtEdge(); this.frame = requestAnimationFrame(step) }
    this.frame = requestAnimationFrame(step)
  }

  private follow(): void {
    const { item, grip, resize, column: home } = this.start!
    const column = !item || resize ? home : this.columnAt(this.pointer.x) ?? this.at!.column
    const minute = this.board.minuteAt(column, this.pointer.y)
    const snap = (value: number) => Math.round(value / Step) * Step
    let place: Place
    if (item && !resize) {
      const { from, to } = spanOf(item)
      const start = Math.max(this.board.from, Math.min(this.board.to - (to - from), snap(minute - grip)))
      place = { column, from: start, to: start + to - from }
    } else if (item) {
      const { from } = spanOf(item)
      place = { column, from, to: Math.min(this.board.to, Math.max(from + Step, snap(minute))) }
    } else {
      const [a, b] = [Math.floor(Math.min(grip, minute) / Step) * Step, Math.ceil(Math.max(grip, minute) / Step) * Step]
      place = { column, from: Math.max(this.board.from, a), to: Math.min(this.board.to, Math.max(a + Step, b)) }
    }
    this.at = place
    this.show(place)
  }

  show(place: Place | null, name = ""): void {
    if (!place) { this.ghost.remove(); return }
    this.ghost.style.setProperty("--f", String(place.from))
    this.ghost.style.setProperty("--t", String(Math.max(place.to, place.from + 10)))
    this.ghost.textContent = `${clock(place.from)}–${clock(place.to)} ${name}`
    const list = place.column.querySelector(".diary-items")!
    if (this.ghost.parentElement !== list) list.append(this.ghost)
  }

  private onUp(event: PointerEvent): void {
    clearTimeout(this.hold)
    if (!this.start || !event.isPrimary) return
    const { item, column } = this.start
    const place = this.at
    if (!place) { this.start = null; return }
    this.swallow = true
    setTimeout(() => { this.swallow = false })
    this.end()
    if (!item) { this.board.chosen(place, true); return }
    const { from, to } = spanOf(item)
    if (place.column !== column || place.from !== from || place.to !== to) this.board.moved(item, place)
  }

  private end(): void {
    clearTimeout(this.hold)
    cancelAnimationFrame(this.frame)
    this.start?.item?.classList.remove("is-moving")
    document.body.classList.remove("diary-dragging", "diary-resizing")
    if (this.at) this.ghost.remove()
    this.start = this.at = null
  }

  // After a drag the browser reports a click on whatever lies under the pointer: that is no click. One on free time books there.
  private onClick(event: MouseEvent): void {
    if (this.swallow) {
      this.swallow = false
      event.preventDefault()
      event.stopPropagation()
      return
    }
    const target = event.target as Element
    const column = target.closest<HTMLElement>(".diary-column")
    if (!column || !target.classList.contains("diary-items") || event.button !== 0 || !this.mayBookIn(column)) return
    const minute = this.board.minuteAt(column, event.clientY)
    const spans = [...column.querySelectorAll<HTMLElement>(".appt")].map(spanOf)
    let from = Math.floor(minute / 15) * 15
    for (const span of spans) if (span.from < minute && span.to > from && span.to <= minute) from = span.to
    this.board.chosen({ column, from, to: from }, false)
  }

  private mayBookIn(column: HTMLElement): boolean {
    return this.board.mayBook && column.querySelector(".diary-book") !== null
  }

  private columnAt(x: number): HTMLElement | undefined {
    return this.board.columns.find(column => { const box = column.getBoundingClientRect(); return x >= box.left && x < box.right })
  }

  private scrollAtEdge(): void {
    const { scroll } = this.board
    const box = scroll.getBoundingClientRect()
    const { x, y } = this.pointer
    const [left, top] = [scroll.scrollLeft, scroll.scrollTop]
    if (y < box.top + Edge + 40) scroll.scrollTop -= 8
    else if (y > box.bottom - Edge) scroll.scrollTop += 8
    if (!this.start?.resize && this.start?.item) {
      if (x < box.left + Edge + 40) scroll.scrollLeft -= 8
      else if (x > box.right - Edge) scroll.scrollLeft += 8
    }
    if (left !== scroll.scrollLeft || top !== scroll.scrollTop) this.follow()
  }
}
