// Gives two of the theme's controls the names that screen readers and voice control need.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll(".search-button-field")) {
    button.setAttribute("aria-label", button.textContent.replace(/\s+/g, " ").trim());
  }
  for (const summary of document.querySelectorAll("details > summary")) {
    if (!summary.textContent.trim()) {
      const page = summary.parentElement.parentElement.querySelector("a");
      summary.setAttribute("aria-label", `Pages below ${page ? page.textContent.trim() : "this one"}`);
    }
  }
});
