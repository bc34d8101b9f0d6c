/** The texts of the page `lessons`. */
export const texts = {
  title: 'Lessons',
} as const;
