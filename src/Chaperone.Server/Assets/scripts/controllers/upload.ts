import { visit } from "@hotwired/turbo"
import { Controller } from "@hotwired/stimulus"

// Sends a form with a file and shows how far it is. The token goes in a header, as the server streams the body and must know
// the token before it reads a file. Without script the browser posts the form, whose first part is the token.
export default class extends Controller<HTMLFormElement> {
  static override targets = ["progress", "bar", "status", "button", "cancel"]
  declare readonly progressTarget: HTMLElement
  declare readonly barTarget: HTMLProgressElement
  declare readonly statusTarget: HTMLElement
  declare readonly buttonTarget: HTMLButtonElement
  private request: XMLHttpRequest | null = null

  override disconnect(): void {
    this.request?.abort()
  }

  send(event: SubmitEvent): void {
    event.preventDefault()
    if (this.request) return
    const token = this.element.querySelector<HTMLInputElement>("input[name='__token']")?.value ?? ""
    const request = new XMLHttpRequest()
    request.open("POST", this.element.action)
    request.setRequestHeader("X-Chaperone-Token", token)
    request.setRequestHeader("Accept", "text/html")
    request.upload.addEventListener("progress", sent => {
      if (!sent.lengthComputable) return
      const percent = Math.floor(sent.loaded / sent.total * 100)
      this.barTarget.value = percent
      this.statusTarget.textContent = percent < 100 ? `Uploading: ${percent}%` : "Checking the file…"
    })
    request.addEventListener("load", () => this.answered(request))
    request.addEventListener("error", () => this.stop("The connection broke. Nothing was imported; try again."))
    request.addEventListener("abort", () => this.stop("Upload cancelled. Nothing was imported."))
    this.request = request
    this.progressTarget.hidden = false
    this.barTarget.value = 0
    this.buttonTarget.disabled = true
    request.send(new FormData(this.element))
  }

  cancel(): void {
    this.request?.abort()
  }

  // The request followed the redirect, so its answer is the next page; loading it again would log a second view.
  private answered(request: XMLHttpRequest): void {
    this.request = null
    const { status, responseURL, responseText } = request
    const html = request.getResponseHeader("Content-Type")?.startsWith("text/html") === true
    if (status < 300 && html) {
      visit(responseURL, { response: { statusCode: status, responseHTML: responseText, redirected: true } })
      return
    }
    const main = html ? new DOMParser().parseFromString(responseText, "text/html").querySelector("main") : null
    if (main) document.querySelector("main")?.replaceWith(document.adoptNode(main))
    else this.stop(`The server refused the file (${status}). Nothing was imported.`)
  }

  private stop(message: string): void {
    this.request = null
    this.statusTarget.textContent = message
    this.buttonTarget.disabled = false
  }
}
