/** Drawings of 16 by 16, in the colour of the text around them. What they mean is said beside them. */
const PATHS = {
  mail: 'M2 4.5h12v8H2zM2 5l6 4.5L14 5',
  wire: 'M1.5 5.5h9M8 3l2.5 2.5L8 8M14.5 10.5h-9M8 8l-2.5 2.5L8 13',
  connect: 'M5.5 10.5l5-5M6.5 4.5l1.6-1.6a3 3 0 0 1 4.2 4.2l-1.6 1.6M9.5 11.5l-1.6 1.6a3 3 0 0 1-4.2-4.2l1.6-1.6',
  console: 'M1.5 3h13v10h-13zM4 6l2.2 2L4 10M8 10.5h4',
  lessons:
    'M8 4C6.5 2.8 4.3 2.5 1.5 2.8v9.7C4.3 12.2 6.5 12.5 8 13.7 9.5 12.5 11.7 12.2 14.5 12.5V2.8C11.7 2.5 9.5 2.8 8 4zM8 4v9.5',
  settings: 'M2 4.5h6M11.5 4.5H14M2 11.5h2.5M8 11.5h6M9.7 2.8v3.4M6.2 9.8v3.4',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3L14 14',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  play: 'M5 3l7.5 5L5 13z',
  theme: 'M8 2a6 6 0 1 0 0 12zM8 2a6 6 0 0 1 0 12z',
  help: 'M6 6.2C6 4.9 6.9 4 8 4s2 .8 2 2c0 1.5-2 1.7-2 3.2M8 11.8v.2M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z',
  attachment: 'M13 7.2l-5.2 5.2a3 3 0 0 1-4.3-4.3l5.6-5.6a2 2 0 0 1 2.9 2.9l-5.5 5.5a1 1 0 0 1-1.4-1.4L10 4.6',
  trash: 'M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9M6.7 7v4M9.3 7v4',
  read: 'M2 6.5L8 2.5l6 4v7H2zM2 6.8l6 3.7 6-3.7',
  unread: 'M2 4.5h12v8H2zM2 5l6 4.5L14 5',
  download: 'M8 2v8M4.5 7L8 10.5 11.5 7M2.5 13.5h11',
  back: 'M9.5 3L4.5 8l5 5',
  next: 'M6.5 3l5 5-5 5',
  down: 'M3 6l5 5 5-5',
  up: 'M8 13V3M4 7l4-4 4 4',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  check: 'M3 8.5l3.5 3.5L13 4.5',
  close: 'M3.5 3.5l9 9M12.5 3.5l-9 9',
  lock: 'M3.5 7.5h9v6h-9zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2',
  unlock: 'M3.5 7.5h9v6h-9zM5.5 7.5v-2a2.5 2.5 0 0 1 4.8-1',
  warning: 'M8 2.2L14.5 13.5h-13zM8 6.5v3.2M8 11.6v.2',
  person: 'M8 8.2a2.8 2.8 0 1 0 0-5.6 2.8 2.8 0 0 0 0 5.6zM2.8 13.7c.6-2.6 2.6-3.9 5.2-3.9s4.6 1.3 5.2 3.9',
  inbox: 'M2 9.5l2-6h8l2 6v4H2zM2 9.5h3.5l1 1.5h3l1-1.5H14',
  pencil: 'M3 13l.7-3L11 2.7l2.3 2.3L6 12.3zM9.7 4l2.3 2.3',
  folder: 'M1.8 4h4.4l1.4 1.8h6.6V13H1.8z',
  drafts: 'M4 2h5.5L12.5 5v9H4zM9 2v3.5h3.5M6 8h4M6 10.5h4',
  sent: 'M14 2L1.8 7.2l4.4 1.9L8.2 14zM6.2 9.1L14 2',
  junk: 'M8 1.8a6.2 6.2 0 1 0 0 12.4A6.2 6.2 0 0 0 8 1.8zM3.7 3.7l8.6 8.6',
  archive: 'M2 3h12v3H2zM3 6v7.5h10V6M6.3 8.7h3.4',
  flag: 'M4 14V2.5M4 3h8.5l-2 3 2 3H4',
  reply: 'M6.5 3.5L2.5 7.5l4 4M2.5 7.5H9c3 0 4.5 2 4.5 5',
  replyAll: 'M5 3.5l-4 4 4 4M8.5 3.5l-4 4 4 4M4.5 7.5h5c3 0 4.5 2 4.5 5',
  forward: 'M9.5 3.5l4 4-4 4M13.5 7.5H7c-3 0-4.5 2-4.5 5',
  restore: 'M2.5 8a5.5 5.5 0 1 0 1.7-4M2.5 2.5v3.2h3.2',
  more: 'M2.4 8a.7.7 0 1 0 1.4 0 .7.7 0 1 0-1.4 0M7.3 8a.7.7 0 1 0 1.4 0 .7.7 0 1 0-1.4 0M12.2 8a.7.7 0 1 0 1.4 0 .7.7 0 1 0-1.4 0',
  tag: 'M2 2h6l6 6-6 6-6-6zM5 5h.1',
  threads: 'M2 3.5h9M5 8h9M5 12.5h7M2.5 6v6.5h1',
  toServer: 'M2 8h11M9 4l4 4-4 4',
  toClient: 'M14 8H3M7 4L3 8l4 4',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg className="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** The glass wall: an envelope that lets its content show through. */
export function Logo() {
  return (
    <svg className="logo" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" focusable="false">
      <rect className="pane" x="1.5" y="4.5" width="21" height="15" rx="3" />
      <path d="M4.5 8.5L12 13.5l7.5-5M4.8 16h4.4" />
    </svg>
  );
}
