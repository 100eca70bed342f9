// Turbo ships no types; these are the parts used here.
declare module "@hotwired/turbo" {
  export interface VisitOptions {
    action?: "advance" | "replace" | "restore"
    frame?: string
    response?: { statusCode: number; responseHTML: string; redirected: boolean }
  }
  export function visit(location: string | URL, options?: VisitOptions): void
  export const cache: { clear(): void }
}

interface FrameMissing extends CustomEvent<{ response: Response; visit: (location: string | Response, options?: object) => Promise<void> }> {}
interface HTMLTurboFrame extends HTMLElement {
  src: string | null
  disabled: boolean
  reload(): Promise<void>
}
