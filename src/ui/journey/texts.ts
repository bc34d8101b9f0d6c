/** The texts of the page `journey`. */
export const texts = {
  title: 'Journey',
} as const;
