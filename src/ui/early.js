// Runs before the first paint: the reader's own colours and density, so that nothing flashes.
try {
  const { dataset } = document.documentElement;
  const chosen = JSON.parse(localStorage.getItem('glassmail.preferences') ?? '{}');
  if (chosen.theme === 'light' || chosen.theme === 'dark') dataset.theme = chosen.theme;
  if (chosen.density === 'compact') dataset.density = chosen.density;
} catch {
  // Storage may be forbidden: the system's colours are as good.
}
