// Where appointments stand on the grid of a column. Times are minutes of the clinic's clock from midnight.

export const Step = 5
const Shortest = 10   // anything shorter is drawn this long, and what it would cover stands beside it

export interface Span { from: number; to: number }

export const spanOf = (item: HTMLElement): Span => ({ from: Number(item.dataset.from), to: Number(item.dataset.to) })

export const clock = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`

// Overlapping appointments share the width: each run of them is cut into as many lanes as it needs.
export function layOut(list: HTMLElement): void {
  const items = [...list.querySelectorAll<HTMLElement>(".appt")].map(item => ({ item, ...spanOf(item) })).sort((a, b) => a.from - b.from || b.to - a.to)
  let run: { item: HTMLElement; lane: number }[] = [], ends: number[] = [], last = -1
  const close = () => {
    for (const { item, lane } of run) {
      item.style.setProperty("--lane", String(lane))
      item.style.setProperty("--lanes", String(ends.length))
    }
    run = []
    ends = []
  }
  for (const { item, from, to } of items) {
    if (from >= last) close()
    const end = Math.max(to, from + Shortest)
    let lane = ends.findIndex(taken => taken <= from)
    if (lane < 0) lane = ends.length
    ends[lane] = end
    run.push({ item, lane })
    last = Math.max(last, end)
    place(item, from, end)
  }
  close()
}

export function place(item: HTMLElement, from: number, to: number): void {
  item.style.setProperty("--f", String(from))
  item.style.setProperty("--t", String(to))
  item.classList.toggle("appt-short", to - from < 20)
  item.classList.toggle("appt-tall", to - from >= 30)
}

// Takes over what the server says now, element by element, so that focus, scroll and what is open stay where they are.
export function takeOver(root: HTMLElement, fresh: Document): boolean {
  const now = [...root.querySelectorAll<HTMLElement>(".diary-column")]
  const then = [...fresh.querySelectorAll<HTMLElement>(".diary-column")]
  const key = (columns: HTMLElement[]) => columns.map(column => column.getAttribute("aria-labelledby")).join()
  if (key(now) !== key(then)) return false
  const focused = document.activeElement instanceof HTMLElement && root.contains(document.activeElement) ? document.activeElement : null
  const stays = new Set(then.flatMap(column => [...column.querySelectorAll(".appt")].map(item => item.id)))
  for (const item of root.querySelectorAll(".appt")) {
    if (stays.has(item.id)) continue
    if (item.contains(focused)) root.querySelector<HTMLElement>(".diary-scroll")?.focus({ preventScroll: true })
    item.remove()
  }
  now.forEach((column, index) => {
    const list = column.querySelector<HTMLElement>(".diary-items")!
    const count = then[index]!.querySelector("[data-diary-count]")?.textContent ?? ""
    const told = column.querySelector("[data-diary-count]")
    if (told && told.textContent !== count) told.textContent = count
    for (const shade of column.querySelectorAll(":scope > .diary-shade")) shade.remove()
    list.before(...[...then[index]!.querySelectorAll(":scope > .diary-shade")].map(shade => document.adoptNode(shade)))
    let before: Element | null = list.querySelector(":scope > .appt")
    for (const item of then[index]!.querySelectorAll<HTMLElement>(".appt")) {
      const known = document.getElementById(item.id)
      if (!known) { list.insertBefore(document.adoptNode(item), before); continue }
      update(known, item)
      if (known === before) before = next(known)
      else list.insertBefore(known, before)
    }
  })
  if (focused?.isConnected && document.activeElement !== focused && document.activeElement === document.body) focused.focus({ preventScroll: true })
  return true
}

const next = (item: Element): Element | null => {
  let after = item.nextElementSibling
  while (after && !after.classList.contains("appt")) after = after.nextElementSibling
  return after
}

function update(known: HTMLElement, fresh: HTMLElement): void {
  for (const name of ["class", "data-version", "data-from", "data-to", "data-move"]) {
    const value = fresh.getAttribute(name)
    if (value === null) known.removeAttribute(name)
    else if (known.getAttribute(name) !== value) known.setAttribute(name, value)
  }
  const [link, freshLink] = [known.querySelector(".appt-open")!, fresh.querySelector(".appt-open")!]
  if (link.innerHTML !== freshLink.innerHTML) link.replaceChildren(...document.adoptNode(freshLink).childNodes)
}
