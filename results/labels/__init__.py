"""Labels that are probably wrong, by out-of-fold predictions; the only place for cleanlab"""
