/** Counts what is handed in since the start, for those who watch the server. */
import type { IncomingMail, LocalDelivery } from './deliver.ts';

export interface DeliveryFigures {
  readonly accepted: number;
  readonly acceptedOctets: number;
  /** Recipients and messages that were refused. */
  readonly rejected: number;
}

export function countedDelivery(delivery: LocalDelivery): LocalDelivery & { figures(): DeliveryFigures } {
  const figures = { accepted: 0, acceptedOctets: 0, rejected: 0 };
  const rejecting = <Result>(promise: Promise<Result>): Promise<Result> =>
    promise.catch((error: unknown) => {
      figures.rejected++;
      throw error;
    });
  const taken = ({ content }: IncomingMail): void => {
    figures.accepted++;
    figures.acceptedOctets += content.size;
  };
  return {
    recipient: (...given) => rejecting(delivery.recipient(...given)),
    async deliver(mail) {
      const accepted = await rejecting(delivery.deliver(mail));
      taken(mail);
      return accepted;
    },
    async deliverToEach(mail) {
      const delivered = await rejecting(delivery.deliverToEach(mail));
      figures.rejected += delivered.refused.size;
      if (delivered.accepted) taken(mail);
      return delivered;
    },
    figures: () => ({ ...figures }),
  };
}
