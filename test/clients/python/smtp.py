"""smtplib: everything it offers. Called with the ports of smtp, submission and submissions, and the authority's file."""
import smtplib
import ssl
import sys
from email.headerregistry import Address
from email.message import EmailMessage

smtp_port, submission_port, submissions_port, authority = *map(int, sys.argv[1:4]), sys.argv[4]
trust = ssl.create_default_context(cafile=authority)
ALICE, BOB, PASSWORD = 'alice@glass.localhost', 'bob@glass.localhost', 'glass'


def letter(subject, to=BOB):
    message = EmailMessage()
    message['From'], message['To'], message['Subject'] = ALICE, to, subject
    message['Date'] = 'Wed, 01 Jul 2026 12:00:00 +0200'
    message.set_content('.\n..\nThe text.\n')
    return message


# Without a login; the extensions.
with smtplib.SMTP('localhost', smtp_port) as session:
    session.ehlo('client.test')
    for extension in ('pipelining', 'size', '8bitmime', 'smtputf8', 'dsn', 'enhancedstatuscodes'):
        assert session.has_extn(extension), (extension, session.esmtp_features)
    assert int(session.esmtp_features['size']) > 1_000_000
    assert not session.has_extn('starttls')
    assert session.send_message(letter('without a login')) == {}
    # The steps by hand.
    assert session.mail(ALICE)[0] == 250
    assert session.rcpt(BOB)[0] == 250
    assert session.rset()[0] == 250
    assert session.verify('bob')[0] == 252
    assert session.expn('all')[0] in (252, 502, 550)
    assert session.docmd('HELP')[0] == 214
    assert session.noop()[0] == 250
    assert session.docmd('WIZ')[0] == 500
    assert session.docmd('DATA')[0] == 503
    assert session.helo('client.test')[0] == 250

# STARTTLS, and what it needs.
with smtplib.SMTP('localhost', submission_port) as session:
    session.ehlo()
    assert session.has_extn('starttls')
    session.starttls(context=trust)
    session.ehlo()
    assert not session.has_extn('starttls')
    try:
        session.send_message(letter('refused'))
        raise AssertionError('submission without a login')
    except smtplib.SMTPSenderRefused as error:
        assert error.smtp_code == 530
    try:
        session.login(ALICE, 'wrong')
        raise AssertionError('a wrong password')
    except smtplib.SMTPAuthenticationError as error:
        assert error.smtp_code == 535
    assert session.login(ALICE, PASSWORD)[0] == 235
    assert session.send_message(letter('with STARTTLS')) == {}

# TLS from the first octet, each mechanism.
for mechanism in ('auth_plain', 'auth_login'):
    with smtplib.SMTP_SSL('localhost', submissions_port, context=trust) as session:
        session.ehlo()
        session.user, session.password = ALICE, PASSWORD
        name = mechanism.removeprefix('auth_').upper()
        assert session.auth(name, getattr(session, mechanism))[0] == 235
        assert session.send_message(letter(f'with {name}')) == {}

with smtplib.SMTP_SSL('localhost', submissions_port, context=trust) as session:
    session.login(ALICE, PASSWORD)
    # Delivery status notifications (RFC 3461), sizes (RFC 1870), 8 bits (RFC 6152).
    octets = letter('with DSN').as_bytes().replace(b'\n', b'\r\n')
    assert session.sendmail(
        ALICE, [BOB], octets,
        mail_options=['RET=HDRS', 'ENVID=python+2B1', 'BODY=8BITMIME'],
        rcpt_options=['NOTIFY=SUCCESS,FAILURE', f'ORCPT=rfc822;{BOB}'],
    ) == {}
    # An address in UTF-8 (RFC 6531): smtplib asks for SMTPUTF8 by itself.
    message = letter('mit Umlaut in der Adresse', Address('Größe', 'größe', 'glass.localhost'))
    assert session.send_message(message) == {}
    # Some recipients are refused: told by name, the others get it.
    told = session.sendmail(ALICE, [BOB, 'no good@@'], letter('to one of two').as_string())
    assert list(told) == ['no good@@'], told
    # Too large, announced and refused before it is sent.
    limit = int(session.esmtp_features['size'])
    code, _ = session.mail(ALICE, [f'SIZE={limit + 1}'])
    assert code == 552
    # The connection is as good as before.
    session.rset()
    assert session.send_message(letter('after refusals')) == {}
    # Eight mails in one connection.
    for number in range(8):
        assert session.send_message(letter(f'number {number}')) == {}
print('all of it')
