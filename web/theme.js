// theme.js - light or dark: as the system has it, until somebody chooses. Runs before the page is drawn, so that nothing flashes.
(() => {
  const root = document.documentElement;
  const system = window.matchMedia('(prefers-color-scheme: dark)');
  const names = ['auto', 'light', 'dark'];
  // Storage may be forbidden; the choice is then the page's alone.
  const read = () => { try { return localStorage.getItem('caisson-theme'); } catch { return null; } };
  const write = (name) => { try { localStorage.setItem('caisson-theme', name); } catch { /* the page's alone */ } };
  let chosen = names.includes(read()) ? read() : 'auto';
  const show = () => {
    root.classList.toggle('dark-mode', chosen === 'dark' || (chosen === 'auto' && system.matches));
    const button = document.getElementById('theme');
    if (button) button.textContent = `Theme: ${chosen}`;
  };
  system.addEventListener('change', show);
  document.addEventListener('DOMContentLoaded', () => {
    document.getElementById('theme')?.addEventListener('click', () => {
      chosen = names[(names.indexOf(chosen) + 1) % names.length];
      write(chosen);
      show();
    });
    show();
  });
  show();
})();
