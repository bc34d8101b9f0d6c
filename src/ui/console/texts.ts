/** The texts of the page `console`. */
export const texts = {
  title: 'Console',
} as const;
