# Runs on 2.7, 3.6 and later, and PyPy. Imports nothing: `sys` is built in, everything else might be shadowed. Does not
# wait for the interpreter to take itself apart, which takes a fifth of its time, nor run what hooks have left for then.
import sys
_argument = sys.argv[1] if len(sys.argv) > 1 else ''
def _text(value):
    if value is None:
        return 'null'
    if value is True or value is False:
        return 'true' if value else 'false'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return '[' + ','.join([_text(item) for item in value]) + ']'
    if isinstance(value, dict):
        return '{' + ','.join([_text(key) + ':' + _text(value[key]) for key in sorted(value)]) + '}'
    if value and not isinstance(value, bytes) and ' ' <= min(value) and max(value) <= '~':
        return '"' + value.replace('\\', '\\\\').replace('"', '\\"') + '"'
    if isinstance(value, bytes):
        codes = [item if isinstance(item, int) else ord(item) for item in value]
        try:
            codes = [ord(letter) for letter in value.decode('utf-8')]
        except UnicodeDecodeError:
            codes = [code if code < 128 else 0xDC00 + code for code in codes]
    else:
        try:
            codes = [ord(letter) for letter in value]
        except TypeError:
            return _text(repr(value))
    out = '"'
    for code in codes:
        if code in (34, 92):
            out += '\\' + chr(code)
        elif 32 <= code < 127:
            out += chr(code)
        elif code > 0xFFFF:
            code -= 0x10000
            out += '\\u%04x\\u%04x' % (0xD800 + (code >> 10), 0xDC00 + (code & 0x3FF))
        else:
            out += '\\u%04x' % code
    return out + '"'
_site = sys.modules.get('site')
_implementation = getattr(getattr(sys, 'implementation', None), 'name', None)
if _implementation is None:
    _implementation = 'pypy' if hasattr(sys, 'pypy_version_info') else 'cpython'
_report = {
    'implementation': _implementation,
    'version': list(sys.version_info[:3]),
    'executable': sys.executable or None,
    'prefix': sys.prefix,
    'base_prefix': getattr(sys, 'base_prefix', getattr(sys, 'real_prefix', sys.prefix)),
    'exec_prefix': sys.exec_prefix,
    'base_exec_prefix': getattr(sys, 'base_exec_prefix', getattr(sys, 'real_prefix', sys.exec_prefix)),
    'path': sys.path[1:] if sys.path and sys.path[0] == '' else list(sys.path),
    'has_first_entry': bool(sys.path) and sys.path[0] == '',
    'enable_user_site': getattr(_site, 'ENABLE_USER_SITE', None),
    'user_site': getattr(_site, 'USER_SITE', None),
    'soabi': getattr(getattr(sys, 'implementation', None), 'cache_tag', None),
    'platform': sys.platform,
}
# PYTHONIOENCODING may name any encoding: below it are bytes, as a file of 2.7 takes them
_output = getattr(sys.stdout, 'buffer', None)
_answer = '\n' + _argument + _text(_report) + '\n'
sys.stdout.flush()
if _output:
    _output.write(_answer.encode('ascii'))
    _output.flush()
else:
    sys.stdout.write(_answer)
    sys.stdout.flush()
_system = sys.modules.get('posix') or sys.modules.get('nt')
if _system:
    try:
        sys.stderr.flush()
    except Exception:
        pass
    _system._exit(0)
