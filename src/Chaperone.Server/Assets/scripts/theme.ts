// Loaded in the head without defer, so that the theme stands before the first paint. Inline script is forbidden by the page's policy.
export {}

const stored = (() => {
  try { return localStorage.getItem("chaperone.theme") } catch { return null }
})()
const dark = stored === "dark" || (stored !== "light" && matchMedia("(prefers-color-scheme: dark)").matches)
document.documentElement.dataset.bsTheme = dark ? "dark" : "light"
// What only makes sense with script waits for it instead of standing in its plain form for a moment.
document.documentElement.classList.add("js")
