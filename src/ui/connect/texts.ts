/** The texts of the page `connect`. */
export const texts = {
  title: 'Connect',
} as const;
