/** Stylesheets that a page brings with it: Vite loads them with the page's code. */
declare module '*.css';
