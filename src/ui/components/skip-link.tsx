interface SkipLinkProps {
  /** The id of what gets the focus. */
  readonly to: string;
  readonly children: string;
}

/** A jump by hash would be an address of its own, and lose the one that is shown. */
export function SkipLink({ to, children }: SkipLinkProps) {
  return (
    <a
      className="skip"
      href={`#${to}`}
      onClick={(event) => {
        event.preventDefault();
        document.getElementById(to)?.focus();
      }}
    >
      {children}
    </a>
  );
}
