"""imaplib: everything it offers. Called with the ports of imap and imaps, and the file of the authority."""
import imaplib
import re
import ssl
import sys
from datetime import datetime, timezone

imap_port, imaps_port, authority = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
trust = ssl.create_default_context(cafile=authority)
USER, PASSWORD = 'alice@glass.localhost', 'glass'

MESSAGE = (
    b'Date: Wed, 1 Jul 2026 12:00:00 +0200\r\nFrom: Bob <bob@glass.localhost>\r\n'
    b'To: Alice <alice@glass.localhost>\r\nSubject: from Python\r\nMessage-ID: <python@glass.localhost>\r\n'
    b'\r\nThe text\r\n.\r\nGr\xc3\xbc\xc3\x9fe\r\n'
)
DATE = datetime(2026, 7, 1, 10, 0, 0, tzinfo=timezone.utc)


def ok(answer):
    """The data of an answer that must be OK."""
    status, data = answer
    assert status == 'OK', answer
    return data


def refused(call, *args):
    """The words of a refusal, whether it comes as NO or as BAD."""
    try:
        status, data = call(*args)
    except imaplib.IMAP4.error as error:
        return str(error)
    assert status in ('NO', 'BAD'), (status, data)
    return data[0].decode()


def bye(session):
    assert session.logout()[0] == 'BYE'  # imaplib reads no further


def before_login():
    clear = imaplib.IMAP4('localhost', imap_port)
    assert 'STARTTLS' in clear.capabilities and 'IMAP4REV1' in clear.capabilities
    ok(clear.noop())
    ok(clear.starttls(trust))
    assert 'STARTTLS' not in clear.capabilities
    assert 'AUTHENTICATIONFAILED' in refused(clear.login, USER, 'wrong')
    ok(clear.login(USER, PASSWORD))
    bye(clear)

    session = imaplib.IMAP4_SSL('localhost', imaps_port, ssl_context=trust)
    ok(session.authenticate('PLAIN', lambda challenge: f'\0{USER}\0{PASSWORD}'.encode()))
    bye(session)

    session = imaplib.IMAP4_SSL('localhost', imaps_port, ssl_context=trust)
    assert 'BAD' in refused(session.authenticate, 'PLAIN', lambda challenge: None)  # cancels by "*"
    answers = [PASSWORD.encode(), USER.encode()]
    ok(session.authenticate('LOGIN', lambda challenge: answers.pop()))
    bye(session)
    try:
        imaplib.IMAP4_SSL('localhost', imaps_port, ssl_context=ssl.create_default_context())
        raise AssertionError('an unknown authority was trusted')
    except ssl.SSLCertVerificationError:
        pass


def mailboxes(session):
    names = lambda data: sorted(re.search(rb'"/" (.*)$', line).group(1).strip(b'"').decode() for line in data if line)
    ok(session.create('Python'))
    ok(session.create('"With a blank/and below"'))
    ok(session.create('"Entw&APw-rfe"'))
    assert 'ALREADYEXISTS' in refused(session.create, 'Python')
    listed = names(ok(session.list()))
    for name in ('INBOX', 'Python', 'With a blank', 'With a blank/and below', 'Entw&APw-rfe'):
        assert name in listed, listed
    assert names(ok(session.list('""', '"With a blank/%"'))) == ['With a blank/and below']
    assert ok(session.list('""', '""'))[0] == b'(\\Noselect) "/" ""'
    ok(session.subscribe('Python'))
    ok(session.subscribe('"With a blank"'))
    assert {'Python', 'With a blank'} <= set(names(ok(session.lsub())))
    ok(session.unsubscribe('"With a blank"'))
    assert 'With a blank' not in names(ok(session.lsub()))
    ok(session.rename('"With a blank"', 'Without'))
    assert {'Without', 'Without/and below'} <= set(names(ok(session.list())))
    ok(session.delete('Without/and%20below'.replace('%20', ' ').join('""')))
    ok(session.delete('Without'))
    assert 'NONEXISTENT' in refused(session.delete, 'Without')
    assert ok(session.namespace())[0].startswith(b'(("" "/"))')


def messages(session):
    for number in range(1, 4):
        flags = ('', '\\Seen', '(\\Flagged Work)')[number - 1]
        data = ok(session.append('Python', flags, imaplib.Time2Internaldate(DATE), MESSAGE))
        assert re.search(rb'\[APPENDUID \d+ %d\]' % number, data[0]), data
    assert 'TRYCREATE' in refused(session.append, 'Nowhere', '', '', MESSAGE)

    status = ok(session.status('Python', '(MESSAGES RECENT UNSEEN UIDNEXT UIDVALIDITY)'))[0].decode()
    assert 'MESSAGES 3' in status and 'UNSEEN 2' in status and 'UIDNEXT 4' in status, status
    assert ok(session.select('Python'))[0] == b'3'
    assert session.response('UIDNEXT')[1] == [b'4']
    assert session.response('RECENT')[1] == [b'3']
    ok(session.recent())
    assert ok(session.check())

    # Octets, size, date, flags.
    (head, octets), tail = ok(session.fetch('1', '(UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[])'))
    assert octets == MESSAGE
    assert b'RFC822.SIZE %d' % len(MESSAGE) in head + tail
    moment = imaplib.Internaldate2tuple(head + tail)
    assert datetime(*moment[:6]).astimezone(timezone.utc) == DATE, moment
    assert imaplib.ParseFlags(ok(session.fetch('3', '(FLAGS)'))[0]) == (b'\\Flagged', b'Work', b'\\Recent')
    # Parts of it; BODY[] without PEEK sets \Seen.
    assert ok(session.fetch('1', '(BODY.PEEK[HEADER.FIELDS (SUBJECT)])'))[0][1] == b'Subject: from Python\r\n\r\n'
    assert ok(session.fetch('1', '(BODY.PEEK[TEXT]<4.4>)'))[0][1] == b'text'
    assert ok(session.fetch('1', '(BODY.PEEK[TEXT]<1000.4>)'))[0][1] == b''
    assert b'"from Python"' in ok(session.fetch('1', '(ENVELOPE)'))[0]
    assert b'("text" "plain"' in ok(session.fetch('1', '(BODYSTRUCTURE)'))[0].lower()
    ok(session.fetch('1', '(RFC822)'))
    assert b'\\Seen' in imaplib.ParseFlags(ok(session.fetch('1', '(FLAGS)'))[0])

    # SEARCH: keys, literals, a charset.
    search = lambda *keys: ok(session.search(None, *keys))[0].split()
    assert search('ALL') == [b'1', b'2', b'3']
    assert search('KEYWORD', 'Work') == [b'3']
    assert search('SUBJECT', '"Python"', 'UNSEEN') == [b'3']
    assert search('NOT', 'SEEN') == [b'3']
    assert search('OR', 'FLAGGED', 'UID 2') == [b'2', b'3']
    assert search('SENTON 1-Jul-2026', 'LARGER 10', 'FROM', 'bob') == [b'1', b'2', b'3']
    assert search('BODY', '"nothing of this"') == []
    session.literal = 'Grüße'.encode()
    assert ok(session.search('UTF-8', 'TEXT'))[0].split() == [b'1', b'2', b'3']
    session.literal = 'Gruss'.encode()
    assert ok(session.uid('SEARCH', 'CHARSET', 'UTF-8', 'SUBJECT'))[0].split() == []
    assert 'BADCHARSET' in refused(session.search, 'KLINGON', 'TEXT "x"')

    # STORE, COPY, UID, EXPUNGE.
    assert b'\\Answered' in imaplib.ParseFlags(ok(session.store('2', '+FLAGS', '\\Answered'))[0])
    assert ok(session.store('2', '-FLAGS.SILENT', '(\\Answered \\Seen)')) == [None]
    assert imaplib.ParseFlags(ok(session.uid('FETCH', '2', '(FLAGS)'))[0]) == (b'\\Recent',)
    assert re.search(rb'COPYUID \d+ 1:2 \d+:\d+', ok(session.copy('1:2', 'INBOX'))[0])
    assert 'TRYCREATE' in refused(session.copy, '1', 'Nowhere')
    ok(session.uid('COPY', '3', 'INBOX'))
    ok(session.uid('STORE', '1', '+FLAGS', '(\\Deleted)'))
    assert ok(session.expunge()) == [b'1']
    ok(session.uid('STORE', '2:3', '+FLAGS', '(\\Deleted)'))
    ok(session.uid('EXPUNGE', '3'))
    assert ok(session.uid('SEARCH', 'ALL')) == [b'2']
    ok(session.close())
    assert b'MESSAGES 0' in ok(session.status('Python', '(MESSAGES)'))[0]
    assert ok(session.select('INBOX', readonly=True)) == [b'3']
    assert session.is_readonly
    assert 'read-only' in refused(session.store, '1', '+FLAGS', '\\Flagged').lower()
    ok(session.unselect())


def utf8(session):
    # Only where the server announces it; else a mailbox name is written in modified UTF-7.
    if 'UTF8=ACCEPT' not in session.capabilities:
        assert refused(session.enable, 'UTF8=ACCEPT')
        return
    ok(session.enable('UTF8=ACCEPT'))
    ok(session.create('"Größe"'))
    assert any('Größe'.encode() in line for line in ok(session.list()))
    subject = 'Subject: Größe\r\n\r\nGröße\r\n'.encode()
    ok(session.append('"Größe"', None, None, subject))
    ok(session.select('"Größe"'))
    # Up to 3.14 imaplib writes the "UTF8 (" of RFC 6855 into the message.
    assert subject in ok(session.fetch('1', '(BODY.PEEK[])'))[0][1]
    ok(session.close())


def quota(session):
    # Nothing is limited, so there is no root.
    assert ok(session.getquotaroot('INBOX')) == [[b'INBOX'], [None]]
    assert 'NONEXISTENT' in refused(session.getquota, USER)
    limited = ok(session.setquota(USER, '(STORAGE 1 MESSAGE 100)'))[0]
    used = int(re.search(rb'\(STORAGE (\d+) 1 MESSAGE \d+ 100\)$', limited).group(1))
    assert used >= 1, limited
    assert 'OVERQUOTA' in refused(session.append, 'Python', None, None, MESSAGE * 5)
    assert ok(session.getquota(USER)) == [limited]
    assert ok(session.getquotaroot('INBOX')) == [[b'INBOX "%s"' % USER.encode()], [limited]]
    assert ok(session.setquota(USER, '()')) == [None]
    assert 'NONEXISTENT' in refused(session.getquota, 'bob@glass.localhost')


def unknown(session):
    """What the server does not announce, it refuses; and goes on."""
    assert ok(session.select('INBOX'))
    for capability, call, args in (
        ('SORT', session.sort, ('(SUBJECT)', 'UTF-8', 'ALL')),
        ('THREAD=REFERENCES', session.thread, ('REFERENCES', 'UTF-8', 'ALL')),
        ('ACL', session.getacl, ('INBOX',)),
        ('ACL', session.myrights, ('INBOX',)),
        ('QUOTA', session.getquotaroot, ('INBOX',)),
        ('ANNOTATEMORE', session.getannotation, ('INBOX', '"/comment"', '"value.priv"')),
        ('X-NOTHING', session.xatom, ('X-NOTHING', 'at all')),
    ):
        if capability in session.capabilities:
            continue
        assert refused(call, *args)
        ok(session.noop())


def annotations(session):
    def value(mailbox, entry):
        ok(session.xatom('GETMETADATA', mailbox, entry))
        return session.response('METADATA')[1][0]

    assert value('INBOX', '/private/comment') == b'INBOX (/private/comment NIL)'
    ok(session.xatom('SETMETADATA', 'INBOX', '(/private/comment "from Python" /shared/comment NIL)'))
    assert value('INBOX', '/private/comment') == b'INBOX (/private/comment "from Python")'
    ok(session.xatom('SETMETADATA', 'INBOX', b'(/private/comment "Gr\xc3\xbc\xc3\x9fe")'))
    assert value('INBOX', '/private/comment') == (b'INBOX (/private/comment {7}', b'Gr\xc3\xbc\xc3\x9fe')
    assert value('""', '/shared/admin') == b'"" (/shared/admin "mailto:postmaster@glass.localhost")'
    assert 'NONEXISTENT' in refused(session.xatom, 'GETMETADATA', 'Nowhere', '/private/comment')
    ok(session.xatom('LIST', '""', 'INBOX', 'RETURN (METADATA (/private/comment))'))
    assert session.response('METADATA')[1][0] == (b'INBOX (/private/comment {7}', b'Gr\xc3\xbc\xc3\x9fe')


def rights(session, bob):
    """RFC 4314, as imaplib has it: it leaves what comes back to its caller."""
    theirs = '"Other Users/alice@glass.localhost/Shared"'
    ok(session.create('Shared'))
    assert ok(session.getacl('Shared')) == [b'Shared alice@glass.localhost lrswipkxtecda']
    assert 'There is no mailbox' in refused(bob.myrights, theirs)
    ok(session.setacl('Shared', 'bob', 'lrs'))
    ok(session.setacl('Shared', 'bob', '+wi'))
    assert ok(session.getacl('Shared')) == [b'Shared alice@glass.localhost lrswipkxtecda bob@glass.localhost lrswi']
    assert ok(bob.myrights(theirs)) == [f'{theirs} lrswi'.encode()]
    assert b'(("" "/")) (("Other Users/" "/")) NIL' in ok(bob.namespace())
    assert any(line.endswith(theirs.encode()) for line in ok(bob.list()))
    ok(bob.append(theirs, '\\Seen \\Deleted', DATE, MESSAGE))
    assert ok(bob.select(theirs)) == [b'1'] and not bob.is_readonly
    assert b'\\Seen' in ok(bob.fetch('1', '(FLAGS)'))[0] and b'\\Deleted' not in ok(bob.fetch('1', '(FLAGS)'))[0]
    assert ok(bob.fetch('1', '(BODY[])'))[0][1] == MESSAGE
    assert 'right e' in refused(bob.expunge)
    assert 'may not' in refused(bob.store, '1', '+FLAGS', '\\Deleted')
    ok(session.select('Shared'))
    ok(session.store('1', '+FLAGS', '\\Flagged'))
    ok(bob.noop())
    assert b'\\Flagged' in ok(bob.fetch('1', '(FLAGS)'))[0]
    ok(session.setacl('Shared', 'bob', 'lr'))
    ok(bob.close())
    ok(bob.select(theirs, readonly=True))
    ok(bob.close())
    ok(session.deleteacl('Shared', 'bob'))
    assert ok(session.getacl('Shared')) == [b'Shared alice@glass.localhost lrswipkxtecda']
    assert 'There is no mailbox' in refused(bob.select, theirs)
    ok(session.close())


def large(session):
    """Literals of a megabyte and more, there and back."""
    body = b''.join(b'line %d of many\r\n' % number for number in range(150_000))
    message = b'Subject: large\r\n\r\n' + body
    ok(session.append('INBOX', None, None, message))
    count = ok(session.select('INBOX'))[0].decode()
    assert ok(session.fetch(count, '(BODY.PEEK[])'))[0][1] == message
    assert ok(session.fetch(count, '(BODY.PEEK[]<1000000.100>)'))[0][1] == message[1000000:1000100]


def idle(session):
    with imaplib.IMAP4_SSL('localhost', imaps_port, ssl_context=trust) as other:
        ok(other.login(USER, PASSWORD))
        ok(session.select('INBOX'))
        with session.idle(duration=20) as idler:
            ok(other.append('INBOX', None, None, MESSAGE))
            kind, data = next(idler)
            assert kind == 'EXISTS', (kind, data)


before_login()
with imaplib.IMAP4_SSL('localhost', imaps_port, ssl_context=trust) as session:
    ok(session.login(USER, PASSWORD))
    ok(session.capability())
    mailboxes(session)
    messages(session)
    quota(session)
    unknown(session)
    annotations(session)
    with imaplib.IMAP4_SSL('localhost', imaps_port, ssl_context=trust) as bob:
        ok(bob.login('bob', PASSWORD))
        rights(session, bob)
    large(session)
    if hasattr(session, 'idle'):  # Python 3.14
        idle(session)
with imaplib.IMAP4_SSL('localhost', imaps_port, ssl_context=trust) as session:
    ok(session.login(USER, PASSWORD))
    utf8(session)
print('all of it')
