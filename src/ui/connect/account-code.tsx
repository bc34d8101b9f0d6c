import { useEffect, useState } from 'react';
import type { ConnectSettings } from '../../http/schemas/connect.ts';
import { Dialog } from '../components/dialog.tsx';
import { Icon } from '../components/icons.tsx';
import { texts as app } from '../texts.ts';
import { accountCode } from './qr.ts';
import { texts } from './texts.ts';

/** The account as a QR code: a secret on the screen, so it is shown only when it is asked for. */
export function AccountCode({ settings }: { readonly settings: ConnectSettings }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="button small" onClick={() => setOpen(true)}>
        {texts.code.show}
      </button>
      {isOpen ? <CodeDialog settings={settings} close={() => setOpen(false)} /> : null}
    </>
  );
}

function CodeDialog({ settings, close }: { readonly settings: ConnectSettings; readonly close: () => void }) {
  const [withPassword, setWithPassword] = useState(false);
  const [password, setPassword] = useState('');
  const code = accountCode(settings, withPassword && password !== '' ? password : undefined);
  const said = texts.code;
  return (
    <Dialog label={said.title} className="account-code" close={close}>
      <header>
        <h2>{said.title}</h2>
        <button type="button" className="tool" aria-label={app.close} onClick={close} data-first>
          <Icon name="close" />
        </button>
      </header>
      <p className="muted">{said.text}</p>
      {settings.host === 'localhost' ? <p className="note warn">{said.loopback}</p> : null}
      {code === undefined ? <p>{said.notOffered}</p> : <QrCode text={code} />}
      <div className="with-password">
        <label className="check">
          <input type="checkbox" checked={withPassword} onChange={({ target }) => setWithPassword(target.checked)} />
          {said.withPassword}
        </label>
        {withPassword ? (
          <input
            className="field"
            type="password"
            autoComplete="off"
            aria-label={said.password}
            value={password}
            onChange={({ target }) => setPassword(target.value)}
          />
        ) : null}
      </div>
    </Dialog>
  );
}

/** Modules of light around it: readers need four (ISO/IEC 18004). */
const BORDER = 4;

function QrCode({ text }: { readonly text: string }) {
  const [path, setPath] = useState<{ readonly data: string; readonly size: number }>();
  useEffect(() => {
    let isCurrent = true;
    void import('uqr').then(({ encode }) => {
      if (!isCurrent) return;
      const { data, size } = encode(text, { ecc: 'L', border: BORDER });
      const dark = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
      setPath({ data: dark.join(''), size });
    });
    return () => {
      isCurrent = false;
    };
  }, [text]);
  if (path === undefined) return null;
  return (
    <svg className="qr" viewBox={`0 0 ${path.size} ${path.size}`} role="img" aria-label={texts.code.label}>
      <rect width={path.size} height={path.size} fill="#fff" />
      <path d={path.data} fill="#000" shapeRendering="crispEdges" />
    </svg>
  );
}
