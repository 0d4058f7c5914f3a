# Makes the database of a new domain in a folder that holds its etc/smb.conf.
# Samba's own command would also set NT access lists on sysvol. That needs file
# system features that a container lacks, and no test reads these access lists.
import logging, sys
from samba import dsdb
from samba.auth import system_session
from samba.param import LoadParm
from samba.provision import FILL_FULL, provision

folder, address, realm, domain, password = sys.argv[1:]
lp = LoadParm(filename_for_non_global_lp=folder + "/etc/smb.conf")
provision(
    logging.getLogger(), system_session(lp), lp=lp, targetdir=folder,
    realm=realm.upper(), domain=domain, hostname="dc1", hostip=address, adminpass=password,
    serverrole="active directory domain controller", samdb_fill=FILL_FULL,
    dom_for_fun_level=dsdb.DS_DOMAIN_FUNCTION_2008_R2, dns_backend="NONE",
    nobody="nobody", users="users", skip_sysvolacl=True, batch_mode=True)
