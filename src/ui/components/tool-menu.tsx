import { type ReactNode, useId } from 'react';
import { Icon, type IconName } from './icons.tsx';

interface ToolMenuProps {
  readonly icon: IconName;
  /** What the button is called. */
  readonly words: string;
  /** What the menu is called, if not as the button. */
  readonly title?: string;
  /** Classes beside `tool`. */
  readonly buttonClass?: string;
  /** Classes beside `menu`. */
  readonly menuClass?: string;
  readonly disabled?: boolean;
  readonly children: (hide: () => void) => ReactNode;
}

/** A button with an icon, and the menu that it opens. */
export function ToolMenu(props: ToolMenuProps) {
  const { icon, words, title = words, buttonClass, menuClass, disabled, children } = props;
  const id = useId();
  return (
    <div className="menu-anchor">
      <button
        type="button"
        className={buttonClass === undefined ? 'tool' : `tool ${buttonClass}`}
        popoverTarget={id}
        aria-label={words}
        title={words}
        disabled={disabled}
      >
        <Icon name={icon} />
      </button>
      <div
        id={id}
        className={menuClass === undefined ? 'menu' : `menu ${menuClass}`}
        popover="auto"
        role="dialog"
        aria-label={title}
      >
        {children(() => document.getElementById(id)?.hidePopover())}
      </div>
    </div>
  );
}

export function MenuItem({ words, act }: { readonly words: string; readonly act: () => void }) {
  return (
    <button type="button" className="account" onClick={act}>
      {words}
    </button>
  );
}
