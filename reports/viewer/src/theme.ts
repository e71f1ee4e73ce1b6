/** The colours of the drawing; those of the page are in the style sheet. */
export interface Theme {
  paper: string;
  gutter: string;
  ink: string;
  soft: string;
  line: string;
  hair: string;
  red: string;
  accent: string;
  amber: string;
  amberInk: string;
  hatch: string;
  edge: string;
  lead: string;
  kinds: readonly string[];
  otherKind: string;
}

const LIGHT: Theme = {
  paper: '#ffffff',
  gutter: '#fafaf8',
  ink: '#1d2126',
  soft: '#666e79',
  line: '#b4b9c1',
  hair: '#e9eaec',
  red: '#c40f2f',
  accent: '#6a3de8',
  amber: 'rgba(214, 150, 20, 0.10)',
  amberInk: '#8a5a00',
  hatch: 'rgba(200, 134, 0, 0.20)',
  edge: 'rgba(190, 125, 0, 0.65)',
  lead: 'rgba(0, 114, 178, 0.08)',
  // Okabe and Ito, without vermillion, which is too near to the red of violations.
  kinds: ['#0072b2', '#e08e00', '#009e73', '#cc79a7', '#3ba3dc', '#1d2126', '#a89a00'],
  otherKind: '#8b929c',
};

const DARK: Theme = {
  paper: '#14171b',
  gutter: '#191d22',
  ink: '#e4e7eb',
  soft: '#98a1ad',
  line: '#545d69',
  hair: '#23282f',
  red: '#ff5a6e',
  accent: '#b197ff',
  amber: 'rgba(230, 170, 50, 0.08)',
  amberInk: '#e5b657',
  hatch: 'rgba(230, 170, 50, 0.17)',
  edge: 'rgba(230, 170, 50, 0.6)',
  lead: 'rgba(86, 180, 233, 0.10)',
  kinds: ['#4fa8e0', '#e69f00', '#1fbf92', '#dd92bb', '#8fd0f5', '#e4e7eb', '#e8dc58'],
  otherKind: '#7d8794',
};

/** The theme that the page shows: the reader's choice, or else the system's. */
export function themeNow(): Theme {
  return isDark() ? DARK : LIGHT;
}

export function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  if (chosen) return chosen === 'dark';
  return matchMedia('(prefers-color-scheme: dark)').matches;
}

export const PRINT_THEME = LIGHT;

export function kindColour(theme: Theme, colour: number): string {
  return theme.kinds[colour] ?? theme.otherKind;
}

export function calmMotion(): boolean {
  return matchMedia('(prefers-reduced-motion: reduce)').matches;
}
