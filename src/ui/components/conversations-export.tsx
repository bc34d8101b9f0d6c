import type { MouseEvent } from 'react';
import type { ConversationItem } from '../../http/schemas/conversations.ts';
import { exportPath } from '../api.ts';
import { type ExportFormat, exportConversations } from '../wire-export.ts';
import { wireTexts } from '../wire-texts.ts';
import { Icon } from './icons.tsx';

/** Those of the list, in one file. */
export function ConversationsExport({ rows }: { readonly rows: readonly ConversationItem[] }) {
  const formats: readonly ExportFormat[] = ['text', 'json', 'pcapng'];
  const ids = rows.map(({ id }) => id);
  return (
    <div className="menu-anchor">
      <button
        type="button"
        className="tool"
        aria-label={wireTexts.exports.all}
        popoverTarget="export-all"
        disabled={rows.length === 0}
      >
        <Icon name="download" />
      </button>
      <div id="export-all" className="menu" popover="auto" role="dialog" aria-label={wireTexts.exports.all}>
        <p className="menu-title">{wireTexts.exports.listed(rows.length)}</p>
        {formats.map((format) => (
          <button
            key={format}
            type="button"
            className="button plain menu-item"
            popoverTarget="export-all"
            popoverTargetAction="hide"
            onClick={() => void exportConversations(ids, format)}
          >
            {wireTexts.exports.formats[format]}
          </button>
        ))}
      </div>
    </div>
  );
}

interface ConversationExportProps {
  readonly id: string;
  readonly hasTls: boolean;
}

/** The one that is open. */
export function ConversationExport({ id, hasTls }: ConversationExportProps) {
  const formats: readonly ExportFormat[] = ['text', 'json', 'fixture', 'pcapng'];
  return (
    <div className="menu-anchor">
      <button type="button" className="button small" popoverTarget="export-one">
        <Icon name="download" />
        {wireTexts.exports.one}
      </button>
      <div id="export-one" className="menu" popover="auto" role="dialog" aria-label={wireTexts.exports.one}>
        {formats.map((format) => (
          <a key={format} className="button plain menu-item" href={exportPath(id, format)} download onClick={hideMenu}>
            {wireTexts.exports.formats[format]}
          </a>
        ))}
        {hasTls ? (
          <a className="button plain menu-item" href={exportPath(id, 'pcapng', true)} download onClick={hideMenu}>
            {wireTexts.exports.keys}
          </a>
        ) : null}
        <p className="small-print">{wireTexts.exports.note}</p>
      </div>
    </div>
  );
}

function hideMenu({ currentTarget }: MouseEvent<HTMLElement>): void {
  currentTarget.closest<HTMLElement>('[popover]')?.hidePopover();
}
