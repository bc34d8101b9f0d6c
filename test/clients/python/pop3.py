"""poplib: everything it offers. Called with the ports of pop3 and pop3s, and the file of the authority.

The maildrop of alice holds these messages, in this order: dots, eight bits, no body, a long line, From lines, parts."""
import poplib
import ssl
import sys

pop3_port, pop3s_port, authority = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
trust = ssl.create_default_context(cafile=authority)
USER, PASSWORD = 'alice@glass.localhost', 'glass'


def refused(call, *args):
    try:
        answer = call(*args)
    except poplib.error_proto as error:
        return str(error)
    raise AssertionError(f'{call.__name__}{args}: {answer}')


def connect():
    session = poplib.POP3_SSL('localhost', pop3s_port, context=trust)
    session.user(USER)
    assert session.pass_(PASSWORD).startswith(b'+OK')
    return session


# Before the login.
session = poplib.POP3('localhost', pop3_port)
assert session.getwelcome().startswith(b'+OK')
assert 'STLS' in session.capa()
session.stls(context=trust)
assert 'STLS' not in session.capa()
capabilities = session.capa()
assert {'TOP', 'UIDL', 'USER', 'PIPELINING', 'RESP-CODES', 'SASL'} <= set(capabilities), capabilities
assert 'PLAIN' in capabilities['SASL']
assert '-ERR' in refused(session.stat)
session.user(USER)
assert '[AUTH]' in refused(session.pass_, 'wrong')
session.user(USER)
assert session.pass_(PASSWORD).startswith(b'+OK')
# One at a time (RFC 1939 section 4).
other = poplib.POP3_SSL('localhost', pop3s_port, context=trust)
other.user(USER)
assert '[IN-USE]' in refused(other.pass_, PASSWORD)
other.close()

# The list, in its forms.
count, octets = session.stat()
assert count == 6
_, listed, _ = session.list()
sizes = [int(line.split()[1]) for line in listed]
assert len(sizes) == 6 and sum(sizes) == octets
assert session.list(4) == f'+OK 4 {sizes[3]}'.encode()
_, uids, _ = session.uidl()
assert len({line.split()[1] for line in uids}) == 6
assert session.uidl(2) == b'+OK ' + uids[1]
assert '-ERR' in refused(session.list, 7)
assert '-ERR' in refused(session.uidl, 0)

# The messages. poplib takes the lines apart and the dots away.
for number in range(1, 7):
    _, lines, _ = session.retr(number)
    assert len(b'\r\n'.join(lines) + b'\r\n') == sizes[number - 1], number
assert session.retr(1)[1][-6:] == [b'.', b'..', b'...three', b'.', b'', b'.last']
assert session.retr(2)[1][-1] == 'Grüße, 你好, \U0001f40c'.encode()
_, top, _ = session.top(1, 2)
assert top[-3:] == [b'', b'.', b'..']
_, top, _ = session.top(1, 0)
assert top[-1] == b''
assert session.top(1, 10_000)[1] == session.retr(1)[1]
assert '-ERR' in refused(session.retr, 7)

# Deleting: taken back by RSET, and by a session that ends without QUIT.
session.dele(1)
assert session.stat()[0] == 5
assert '-ERR' in refused(session.retr, 1)
assert '-ERR' in refused(session.dele, 1)
session.rset()
assert session.stat() == (6, octets)
session.dele(2)
session.close()

# The server sees the end of that connection in its own time.
for _ in range(1000):
    try:
        session = connect()
        break
    except poplib.error_proto as error:
        assert b'[IN-USE]' in error.args[0], error
assert session.stat()[0] == 6
assert [line for line in session.uidl()[1]] == uids
session.dele(2)
session.dele(3)
assert session.noop().startswith(b'+OK')
assert session.quit().startswith(b'+OK')

session = connect()
assert session.stat()[0] == 4
left = [line.split()[1] for line in session.uidl()[1]]
assert left == [uids[at].split()[1] for at in (0, 3, 4, 5)]
# What the server does not announce, it refuses; and goes on.
assert 'UTF8' in session.capa() or '-ERR' in refused(session.utf8)
assert '-ERR' in refused(session.rpop, 'alice')
assert session.noop().startswith(b'+OK')
session.quit()
print('all of it')
