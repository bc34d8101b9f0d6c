/** The texts of the page `settings`. */
export const texts = {
  title: 'Settings',
} as const;
