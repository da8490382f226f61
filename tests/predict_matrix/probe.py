# What this interpreter says of itself: one "name hexadecimal" line each, in any Python from 2.7 on.
# Nothing but sys is imported: with -S, or without a standard library on the path, little else can be.
import sys


def spell(value):
    if not isinstance(value, bytes):
        value = value.encode('utf-8', 'surrogateescape')
    return ''.join('%02x' % byte for byte in bytearray(value))


lines = ['path ' + spell(entry) for entry in sys.path]
for name in ('prefix', 'exec_prefix', 'base_prefix', 'base_exec_prefix', 'executable'):
    if hasattr(sys, name):
        lines.append(name + ' ' + spell(getattr(sys, name)))
site = sys.modules.get('site')
if site is not None:
    lines.append('user_site_directory ' + spell(getattr(site, 'USER_SITE', None) or ''))
    lines.append('user_site ' + spell(str(getattr(site, 'ENABLE_USER_SITE', None))))
sys.stdout.write('\n'.join(['reported'] + lines + ['end']) + '\n')
