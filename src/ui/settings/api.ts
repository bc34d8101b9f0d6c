/** The routes that the settings use. */
import type { AccountList, NewQuota } from '../../http/schemas/accounts.ts';
import type { ConnectSettings } from '../../http/schemas/connect.ts';
import type { FaultList } from '../../http/schemas/faults.ts';
import type { Settings } from '../../http/schemas/settings.ts';
import { get, send } from '../api.ts';

export const fetchSettings = async (signal: AbortSignal): Promise<Settings> =>
  (await get('/settings', signal)) as Settings;
export const fetchAccountList = async (signal?: AbortSignal): Promise<AccountList> =>
  (await get('/accounts', signal)) as AccountList;
export const fetchConnect = async (account: string, signal: AbortSignal): Promise<ConnectSettings> =>
  (await get(`/connect?account=${encodeURIComponent(account)}`, signal)) as ConnectSettings;
export const fetchFaults = async (signal?: AbortSignal): Promise<FaultList> =>
  (await get('/faults', signal)) as FaultList;

const accountPath = (address: string): string => `/accounts/${encodeURIComponent(address)}`;

export async function addAccount(address: string, password: string): Promise<void> {
  await send('POST', '/accounts', { address, ...(password !== '' && { password }) });
}
export async function changePassword(address: string, password: string): Promise<void> {
  await send('PUT', `${accountPath(address)}/password`, { password });
}
export async function changeQuota(address: string, quota: NewQuota): Promise<void> {
  await send('PUT', `${accountPath(address)}/quota`, quota);
}
export async function deleteAccount(address: string): Promise<void> {
  await send('DELETE', accountPath(address));
}

/** @param rule as somebody wrote it: the server checks it */
export async function addFault(rule: unknown): Promise<void> {
  await send('POST', '/faults', rule);
}
export async function removeFault(id: string): Promise<void> {
  await send('DELETE', `/faults/${encodeURIComponent(id)}`);
}
export async function removeFaults(): Promise<void> {
  await send('DELETE', '/faults');
}
/** @param ids undefined: all */
export async function switchFaults(on: boolean, ids?: readonly string[]): Promise<FaultList> {
  return (await send('POST', '/faults/switch', { on, ...(ids && { ids }) })) as FaultList;
}
