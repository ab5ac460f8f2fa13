"""The functions of `torch.nn.init`, filled by fastinit where it can."""

import torch

from .dispatch import deprecated_name, drop_in

uniform_ = drop_in(torch.nn.init.uniform_)
normal_ = drop_in(torch.nn.init.normal_)
trunc_normal_ = drop_in(torch.nn.init.trunc_normal_)
xavier_uniform_ = drop_in(torch.nn.init.xavier_uniform_)
xavier_normal_ = drop_in(torch.nn.init.xavier_normal_)
kaiming_uniform_ = drop_in(torch.nn.init.kaiming_uniform_)
kaiming_normal_ = drop_in(torch.nn.init.kaiming_normal_)
orthogonal_ = drop_in(torch.nn.init.orthogonal_)
sparse_ = drop_in(torch.nn.init.sparse_)
DROP_INS = (uniform_, normal_, trunc_normal_, xavier_uniform_, xavier_normal_, kaiming_uniform_, kaiming_normal_, orthogonal_,
            sparse_)
uniform, normal, xavier_uniform, xavier_normal = map(deprecated_name, (uniform_, normal_, xavier_uniform_, xavier_normal_))
kaiming_uniform, kaiming_normal = deprecated_name(kaiming_uniform_), deprecated_name(kaiming_normal_)
orthogonal, sparse = deprecated_name(orthogonal_), deprecated_name(sparse_)
