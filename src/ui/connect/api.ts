/** What the page asks the server for. */
import type { ConnectProgress, ConnectSettings } from '../../http/schemas/connect.ts';
import { get } from '../api.ts';

/** @param host how the program will reach the server; '' as this page does */
export async function fetchSettings(account: string, host: string, signal: AbortSignal): Promise<ConnectSettings> {
  return (await get(`/connect${search({ account, host })}`, signal)) as ConnectSettings;
}

/** @param since RFC 3339; '' from the beginning */
export async function fetchProgress(account: string, since: string, signal: AbortSignal): Promise<ConnectProgress> {
  return (await get(`/connect/progress${search({ account, since })}`, signal)) as ConnectProgress;
}

function search(values: Readonly<Record<string, string>>): string {
  const given = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ''));
  return given.size === 0 ? '' : `?${given.toString()}`;
}
