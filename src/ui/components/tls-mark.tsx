import { formatTlsVersion } from '../format.ts';
import { texts } from '../texts.ts';
import { Icon } from './icons.tsx';

/** Whether a conversation is encrypted, in sign and word. */
export function TlsMark({ tls }: { readonly tls: { readonly version: string } | null }) {
  return tls ? (
    <span className="tls">
      <Icon name="lock" />
      {formatTlsVersion(tls.version)}
    </span>
  ) : (
    <span className="clear">
      <Icon name="unlock" />
      {texts.wire.clear}
    </span>
  );
}
