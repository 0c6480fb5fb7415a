// Texts whose contrast to what is behind them is less than 4.5 (WCAG 2.2, success criterion 1.4.3), each class once.
() => {
  const luminance = ([r, g, b]) => {
    const linear = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const parts = (color) => color.match(/[\d.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parts(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    throw new Error("nothing is behind the page");
  };
  const weak = new Set();
  let count = 0;
  for (const element of document.body.querySelectorAll("*")) {
    const isText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!isText || !element.checkVisibility() || element.closest("svg, script")) continue;
    const [light, dark] = [luminance(parts(getComputedStyle(element).color)), luminance(ground(element))].sort((a, b) => b - a);
    count += 1;
    if ((light + 0.05) / (dark + 0.05) < 4.5) weak.add(`${element.tagName}.${element.className}`);
  }
  return { count, weak: [...weak] };
}
