"""OAI-PMH 2.0 at `/oai`: libraries' and research catalogues' protocol for pulling records, as `oai_dc` and as `dcat`.

A list goes from datestamp to datestamp, so that no page costs more than another; a resumption token says where it goes on and
is kept nowhere. What was public once stays listed as deleted. Nothing here decides what is public.
"""
