"""first

Revision ID: 0001
Revises: 


"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

# revision identifiers, used by Alembic.
revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    
    op.create_table('account',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('username', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.Column('area_code', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('body', sa.String(), nullable=True),
    sa.Column('phone', sa.String(), nullable=True),
    sa.Column('password_hash', sa.String(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('locked_until', sa.BigInteger(), nullable=True),
    sa.Column('language', sa.String(), nullable=False),
    sa.Column('scope_rev', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_account')),
    sa.UniqueConstraint('username', name=op.f('uq_account_username'))
    )
    op.create_table('area',
    sa.Column('code', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=True),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('level', sa.String(), nullable=True),
    sa.Column('parent_code', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=True),
    sa.Column('boundary', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('label', sa.Text(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_area'))
    )
    with op.batch_alter_table('area', schema=None) as batch_op:
        batch_op.create_index('ix_area_code', ['code'], unique=False)
        batch_op.create_index('ix_area_feed', ['partition_id', 'seq'], unique=False)
        batch_op.create_index('ix_area_parent_code', ['parent_code'], unique=False)

    op.create_table('assignment',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('user_id', sa.String(length=36), nullable=False),
    sa.Column('grid_code', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('from_at', sa.BigInteger(), nullable=False),
    sa.Column('to_at', sa.BigInteger(), nullable=True),
    sa.Column('from_rev', sa.Integer(), nullable=False),
    sa.Column('to_rev', sa.Integer(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_assignment'))
    )
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.create_index('ix_assignment_grid', ['grid_code'], unique=False)
        batch_op.create_index('ix_assignment_user', ['user_id', 'grid_code'], unique=False)

    op.create_table('audit',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('actor', sa.String(length=36), nullable=True),
    sa.Column('action', sa.String(), nullable=False),
    sa.Column('target', sa.String(), nullable=True),
    sa.Column('area_code', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=True),
    sa.Column('detail', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('address', sa.String(), nullable=True),
    sa.Column('chain', sa.String(length=64), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit')),
    sa.UniqueConstraint('chain', name=op.f('uq_audit_chain'))
    )
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.create_index('ix_audit_at', ['at'], unique=False)

    op.create_table('blob',
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('mime', sa.String(), nullable=True),
    sa.Column('width', sa.Integer(), nullable=True),
    sa.Column('height', sa.Integer(), nullable=True),
    sa.Column('detail', sa.String(), nullable=True),
    sa.Column('stored_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('sha256', name=op.f('pk_blob'))
    )
    op.create_table('chain_link',
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('chain', sa.String(length=32), nullable=False),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('partition_id', 'seq', name=op.f('pk_chain_link'))
    )
    op.create_table('change',
    sa.Column('record_id', sa.String(length=36), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('tx_id', sa.String(length=36), nullable=True),
    sa.Column('device_id', sa.String(length=36), nullable=False),
    sa.Column('author', sa.String(length=36), nullable=True),
    sa.Column('at', sa.BigInteger(), nullable=False),
    sa.Column('changes', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('record_id', 'rev', name=op.f('pk_change'))
    )
    op.create_table('compound',
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('address', sa.Text(), nullable=True),
    sa.Column('management', sa.String(), nullable=True),
    sa.Column('steward', sa.Text(), nullable=True),
    sa.Column('steward_phone', sa.Text(), nullable=True),
    sa.Column('position', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_compound'))
    )
    with op.batch_alter_table('compound', schema=None) as batch_op:
        batch_op.create_index('ix_compound_feed', ['partition_id', 'seq'], unique=False)

    op.create_table('conflict',
    sa.Column('about_kind', sa.String(), nullable=True),
    sa.Column('about_id', sa.String(length=36), nullable=True),
    sa.Column('field', sa.String(), nullable=True),
    sa.Column('version', sa.BigInteger(), nullable=True),
    sa.Column('accepted', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('accepted_by', sa.String(length=36), nullable=True),
    sa.Column('accepted_at', sa.BigInteger(), nullable=True),
    sa.Column('accepted_rev', sa.BigInteger(), nullable=True),
    sa.Column('proposed', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('proposed_by', sa.String(length=36), nullable=True),
    sa.Column('proposed_device', sa.String(length=36), nullable=True),
    sa.Column('proposed_at', sa.BigInteger(), nullable=True),
    sa.Column('seen_rev', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.String(), nullable=True),
    sa.Column('verdict', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('decided_by', sa.String(length=36), nullable=True),
    sa.Column('decided_at', sa.BigInteger(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_conflict'))
    )
    with op.batch_alter_table('conflict', schema=None) as batch_op:
        batch_op.create_index('ix_conflict_about_id', ['about_id'], unique=False)
        batch_op.create_index('ix_conflict_feed', ['partition_id', 'seq'], unique=False)
        batch_op.create_index('ix_conflict_state_partition_id', ['state', 'partition_id'], unique=False)

    op.create_table('departure',
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('record_id', sa.String(length=36), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('destination', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('partition_id', 'seq', name=op.f('pk_departure'))
    )
    with op.batch_alter_table('departure', schema=None) as batch_op:
        batch_op.create_index('ix_departure_record', ['record_id', 'partition_id'], unique=False)

    op.create_table('device',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('user_id', sa.String(length=36), nullable=True),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('token_hash', sa.String(length=64), nullable=True),
    sa.Column('last_dseq', sa.BigInteger(), nullable=False),
    sa.Column('running', sa.String(length=64), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('revoked_at', sa.BigInteger(), nullable=True),
    sa.Column('last_contact_at', sa.BigInteger(), nullable=True),
    sa.Column('clock_offset', sa.BigInteger(), nullable=True),
    sa.Column('waiting', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('app', sa.String(), nullable=True),
    sa.Column('confirmed', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_device')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_device_token_hash'))
    )
    with op.batch_alter_table('device', schema=None) as batch_op:
        batch_op.create_index('ix_device_user_id', ['user_id'], unique=False)

    op.create_table('enrolment',
    sa.Column('code_hash', sa.String(length=64), nullable=False),
    sa.Column('user_id', sa.String(length=36), nullable=False),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.Column('used_at', sa.BigInteger(), nullable=True),
    sa.Column('device_id', sa.String(length=36), nullable=True),
    sa.PrimaryKeyConstraint('code_hash', name=op.f('pk_enrolment'))
    )
    op.create_table('household',
    sa.Column('compound_id', sa.String(length=36), nullable=True),
    sa.Column('building', sa.Text(), nullable=True),
    sa.Column('unit', sa.Text(), nullable=True),
    sa.Column('door', sa.Text(), nullable=True),
    sa.Column('address', sa.Text(), nullable=True),
    sa.Column('contact_name', sa.Text(), nullable=True),
    sa.Column('contact_phone', sa.Text(), nullable=True),
    sa.Column('risk_level', sa.String(), nullable=True),
    sa.Column('care_groups', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('state', sa.String(), nullable=True),
    sa.Column('residents_count', sa.BigInteger(), nullable=True),
    sa.Column('position', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_household'))
    )
    with op.batch_alter_table('household', schema=None) as batch_op:
        batch_op.create_index('ix_household_compound_id', ['compound_id'], unique=False)
        batch_op.create_index('ix_household_feed', ['partition_id', 'seq'], unique=False)

    op.create_table('ledger_serial',
    sa.Column('community_code', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('last', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('community_code', 'year', name=op.f('pk_ledger_serial'))
    )
    op.create_table('offered',
    sa.Column('record_id', sa.String(length=36), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('values', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('device_id', sa.String(length=36), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('decided_by', sa.String(length=36), nullable=True),
    sa.Column('decided_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('record_id', 'rev', name=op.f('pk_offered'))
    )
    with op.batch_alter_table('offered', schema=None) as batch_op:
        batch_op.create_index('ix_offered_state', ['state', 'partition_id'], unique=False)

    op.create_table('partition',
    sa.Column('id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('sum64', sa.BigInteger(), nullable=False),
    sa.Column('chain', sa.String(length=32), nullable=False),
    sa.Column('floor', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_partition'))
    )
    op.create_table('photo',
    sa.Column('owner_kind', sa.String(), nullable=True),
    sa.Column('owner_id', sa.String(length=36), nullable=True),
    sa.Column('sha256', sa.Text(), nullable=True),
    sa.Column('size', sa.BigInteger(), nullable=True),
    sa.Column('width', sa.BigInteger(), nullable=True),
    sa.Column('height', sa.BigInteger(), nullable=True),
    sa.Column('mime', sa.String(), nullable=True),
    sa.Column('phase', sa.String(), nullable=True),
    sa.Column('taken_at', sa.BigInteger(), nullable=True),
    sa.Column('position', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('state', sa.String(), nullable=True),
    sa.Column('verified_at', sa.BigInteger(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_photo'))
    )
    with op.batch_alter_table('photo', schema=None) as batch_op:
        batch_op.create_index('ix_photo_feed', ['partition_id', 'seq'], unique=False)
        batch_op.create_index('ix_photo_owner_id', ['owner_id'], unique=False)
        batch_op.create_index('ix_photo_sha256', ['sha256'], unique=False)

    op.create_table('problem',
    sa.Column('category', sa.String(), nullable=True),
    sa.Column('description', sa.Text(), nullable=True),
    sa.Column('place', sa.Text(), nullable=True),
    sa.Column('target_kind', sa.String(), nullable=True),
    sa.Column('target_id', sa.String(length=36), nullable=True),
    sa.Column('visit_id', sa.String(length=36), nullable=True),
    sa.Column('position', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('concern_tags', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('source', sa.String(), nullable=True),
    sa.Column('reporter_name', sa.Text(), nullable=True),
    sa.Column('reporter_phone', sa.Text(), nullable=True),
    sa.Column('found_at', sa.BigInteger(), nullable=True),
    sa.Column('solved_on_spot', sa.Boolean(), nullable=True),
    sa.Column('track', sa.String(), nullable=True),
    sa.Column('hard', sa.Boolean(), nullable=True),
    sa.Column('state', sa.String(), nullable=True),
    sa.Column('step', sa.BigInteger(), nullable=True),
    sa.Column('round', sa.BigInteger(), nullable=True),
    sa.Column('ledger_no', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=True),
    sa.Column('body', sa.String(), nullable=True),
    sa.Column('owner', sa.Text(), nullable=True),
    sa.Column('co_bodies', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('measure', sa.Text(), nullable=True),
    sa.Column('due_at', sa.BigInteger(), nullable=True),
    sa.Column('overdue_at', sa.BigInteger(), nullable=True),
    sa.Column('supervised', sa.Boolean(), nullable=True),
    sa.Column('extensions', sa.BigInteger(), nullable=True),
    sa.Column('suspended_until', sa.BigInteger(), nullable=True),
    sa.Column('suspend_requested', sa.Boolean(), nullable=True),
    sa.Column('result', sa.Text(), nullable=True),
    sa.Column('root_cause', sa.String(), nullable=True),
    sa.Column('merged_into', sa.String(length=36), nullable=True),
    sa.Column('closure_by', sa.String(length=36), nullable=True),
    sa.Column('closed_by', sa.String(length=36), nullable=True),
    sa.Column('closed_at', sa.BigInteger(), nullable=True),
    sa.Column('callback_note', sa.Text(), nullable=True),
    sa.Column('satisfaction', sa.String(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_problem'))
    )
    with op.batch_alter_table('problem', schema=None) as batch_op:
        batch_op.create_index('ix_problem_body_state_due_at', ['body', 'state', 'due_at'], unique=False)
        batch_op.create_index('ix_problem_feed', ['partition_id', 'seq'], unique=False)
        batch_op.create_index('ix_problem_found_at', ['found_at'], unique=False)
        batch_op.create_index('ix_problem_ledger_no', ['ledger_no'], unique=False)
        batch_op.create_index('ix_problem_partition_id_state', ['partition_id', 'state'], unique=False)
        batch_op.create_index('ix_problem_state_due_at', ['state', 'due_at'], unique=False)
        batch_op.create_index('ix_problem_target_id', ['target_id'], unique=False)
        batch_op.create_index('ix_problem_visit_id', ['visit_id'], unique=False)

    op.create_table('progress',
    sa.Column('problem_id', sa.String(length=36), nullable=True),
    sa.Column('action', sa.String(), nullable=True),
    sa.Column('from_state', sa.String(), nullable=True),
    sa.Column('to_state', sa.String(), nullable=True),
    sa.Column('step', sa.BigInteger(), nullable=True),
    sa.Column('actor', sa.String(length=36), nullable=True),
    sa.Column('acted_at', sa.BigInteger(), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('detail', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_progress'))
    )
    with op.batch_alter_table('progress', schema=None) as batch_op:
        batch_op.create_index('ix_progress_feed', ['partition_id', 'seq'], unique=False)
        batch_op.create_index('ix_progress_problem_id_acted_at', ['problem_id', 'acted_at'], unique=False)

    op.create_table('quarantine',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('tx_id', sa.String(length=36), nullable=True),
    sa.Column('device_id', sa.String(length=36), nullable=False),
    sa.Column('dseq', sa.BigInteger(), nullable=False),
    sa.Column('author', sa.String(length=36), nullable=True),
    sa.Column('area_code', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=True),
    sa.Column('result', sa.String(), nullable=False),
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('field', sa.String(), nullable=True),
    sa.Column('detail', sa.Text(), nullable=True),
    sa.Column('text', sa.Text(), nullable=True),
    sa.Column('waits_for', sa.String(length=36), nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('decided_by', sa.String(length=36), nullable=True),
    sa.Column('decided_at', sa.BigInteger(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quarantine'))
    )
    with op.batch_alter_table('quarantine', schema=None) as batch_op:
        batch_op.create_index('ix_quarantine_device', ['device_id', 'dseq'], unique=False)
        batch_op.create_index('ix_quarantine_state', ['state', 'area_code'], unique=False)
        batch_op.create_index('ix_quarantine_tx_id', ['tx_id'], unique=False)
        batch_op.create_index('ix_quarantine_waits_for', ['waits_for'], unique=False)

    op.create_table('quarantine_name',
    sa.Column('name', sa.String(length=64), nullable=False),
    sa.Column('quarantine_id', sa.String(length=36), nullable=False),
    sa.PrimaryKeyConstraint('name', 'quarantine_id', name=op.f('pk_quarantine_name'))
    )
    op.create_table('receipt',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('device_id', sa.String(length=36), nullable=False),
    sa.Column('dseq', sa.BigInteger(), nullable=False),
    sa.Column('hash', sa.String(length=64), nullable=False),
    sa.Column('author', sa.String(length=36), nullable=True),
    sa.Column('made_at', sa.BigInteger(), nullable=True),
    sa.Column('received_at', sa.BigInteger(), nullable=False),
    sa.Column('result', sa.String(), nullable=False),
    sa.Column('answer', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_receipt'))
    )
    with op.batch_alter_table('receipt', schema=None) as batch_op:
        batch_op.create_index('ix_receipt_device', ['device_id', 'dseq'], unique=False)

    op.create_table('reference',
    sa.Column('type', sa.String(), nullable=True),
    sa.Column('code', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=True),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('name_en', sa.Text(), nullable=True),
    sa.Column('data', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=True),
    sa.Column('position_no', sa.BigInteger(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reference'))
    )
    with op.batch_alter_table('reference', schema=None) as batch_op:
        batch_op.create_index('ix_reference_feed', ['partition_id', 'seq'], unique=False)
        batch_op.create_index('ix_reference_type_code', ['type', 'code'], unique=False)

    op.create_table('resident',
    sa.Column('household_id', sa.String(length=36), nullable=True),
    sa.Column('name', sa.Text(), nullable=True),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('age_band', sa.String(), nullable=True),
    sa.Column('care_groups', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('legal_basis', sa.String(), nullable=True),
    sa.Column('retain_until', sa.BigInteger(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_resident'))
    )
    with op.batch_alter_table('resident', schema=None) as batch_op:
        batch_op.create_index('ix_resident_feed', ['partition_id', 'seq'], unique=False)
        batch_op.create_index('ix_resident_household_id', ['household_id'], unique=False)

    op.create_table('setting',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_setting'))
    )
    op.create_table('task',
    sa.Column('user_id', sa.String(length=36), nullable=True),
    sa.Column('type', sa.String(), nullable=True),
    sa.Column('about_kind', sa.String(), nullable=True),
    sa.Column('about_id', sa.String(length=36), nullable=True),
    sa.Column('tx_id', sa.String(length=36), nullable=True),
    sa.Column('reason', sa.Text(), nullable=True),
    sa.Column('detail', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('due_at', sa.BigInteger(), nullable=True),
    sa.Column('state', sa.String(), nullable=True),
    sa.Column('done_at', sa.BigInteger(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_task'))
    )
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.create_index('ix_task_about_id', ['about_id'], unique=False)
        batch_op.create_index('ix_task_feed', ['partition_id', 'seq'], unique=False)
        batch_op.create_index('ix_task_tx_id', ['tx_id'], unique=False)

    op.create_table('upload',
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('size', sa.BigInteger(), nullable=False),
    sa.Column('received', sa.BigInteger(), nullable=False),
    sa.Column('device_id', sa.String(length=36), nullable=False),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('expires_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_upload'))
    )
    with op.batch_alter_table('upload', schema=None) as batch_op:
        batch_op.create_index('ix_upload_expires_at', ['expires_at'], unique=False)

    op.create_table('visit',
    sa.Column('target_kind', sa.String(), nullable=True),
    sa.Column('target_id', sa.String(length=36), nullable=True),
    sa.Column('target_name', sa.Text(), nullable=True),
    sa.Column('reason', sa.String(), nullable=True),
    sa.Column('outcome', sa.String(), nullable=True),
    sa.Column('note', sa.Text(), nullable=True),
    sa.Column('appeal', sa.Text(), nullable=True),
    sa.Column('concern_tags', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('early_sign', sa.Text(), nullable=True),
    sa.Column('resolved_on_spot', sa.Boolean(), nullable=True),
    sa.Column('answers', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('visited_at', sa.BigInteger(), nullable=True),
    sa.Column('position', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=True),
    sa.Column('review_state', sa.String(), nullable=True),
    sa.Column('review_note', sa.Text(), nullable=True),
    sa.Column('reviewed_by', sa.String(length=36), nullable=True),
    sa.Column('reviewed_at', sa.BigInteger(), nullable=True),
    sa.Column('id', sa.String(length=36), nullable=False),
    sa.Column('partition_id', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('rev', sa.Integer(), nullable=False),
    sa.Column('seq', sa.BigInteger(), nullable=False),
    sa.Column('field_revs', sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), 'postgresql'), nullable=False),
    sa.Column('deleted_at', sa.BigInteger(), nullable=True),
    sa.Column('created_by', sa.String(length=36), nullable=True),
    sa.Column('created_at', sa.BigInteger(), nullable=False),
    sa.Column('updated_at', sa.BigInteger(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_visit'))
    )
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.create_index('ix_visit_created_by_visited_at', ['created_by', 'visited_at'], unique=False)
        batch_op.create_index('ix_visit_feed', ['partition_id', 'seq'], unique=False)
        batch_op.create_index('ix_visit_partition_id_visited_at', ['partition_id', 'visited_at'], unique=False)
        batch_op.create_index('ix_visit_review_state_visited_at', ['review_state', 'visited_at'], unique=False)
        batch_op.create_index('ix_visit_target_id_visited_at', ['target_id', 'visited_at'], unique=False)

    


def downgrade():
    
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.drop_index('ix_visit_target_id_visited_at')
        batch_op.drop_index('ix_visit_review_state_visited_at')
        batch_op.drop_index('ix_visit_partition_id_visited_at')
        batch_op.drop_index('ix_visit_feed')
        batch_op.drop_index('ix_visit_created_by_visited_at')

    op.drop_table('visit')
    with op.batch_alter_table('upload', schema=None) as batch_op:
        batch_op.drop_index('ix_upload_expires_at')

    op.drop_table('upload')
    with op.batch_alter_table('task', schema=None) as batch_op:
        batch_op.drop_index('ix_task_tx_id')
        batch_op.drop_index('ix_task_feed')
        batch_op.drop_index('ix_task_about_id')

    op.drop_table('task')
    op.drop_table('setting')
    with op.batch_alter_table('resident', schema=None) as batch_op:
        batch_op.drop_index('ix_resident_household_id')
        batch_op.drop_index('ix_resident_feed')

    op.drop_table('resident')
    with op.batch_alter_table('reference', schema=None) as batch_op:
        batch_op.drop_index('ix_reference_type_code')
        batch_op.drop_index('ix_reference_feed')

    op.drop_table('reference')
    with op.batch_alter_table('receipt', schema=None) as batch_op:
        batch_op.drop_index('ix_receipt_device')

    op.drop_table('receipt')
    op.drop_table('quarantine_name')
    with op.batch_alter_table('quarantine', schema=None) as batch_op:
        batch_op.drop_index('ix_quarantine_waits_for')
        batch_op.drop_index('ix_quarantine_tx_id')
        batch_op.drop_index('ix_quarantine_state')
        batch_op.drop_index('ix_quarantine_device')

    op.drop_table('quarantine')
    with op.batch_alter_table('progress', schema=None) as batch_op:
        batch_op.drop_index('ix_progress_problem_id_acted_at')
        batch_op.drop_index('ix_progress_feed')

    op.drop_table('progress')
    with op.batch_alter_table('problem', schema=None) as batch_op:
        batch_op.drop_index('ix_problem_visit_id')
        batch_op.drop_index('ix_problem_target_id')
        batch_op.drop_index('ix_problem_state_due_at')
        batch_op.drop_index('ix_problem_partition_id_state')
        batch_op.drop_index('ix_problem_ledger_no')
        batch_op.drop_index('ix_problem_found_at')
        batch_op.drop_index('ix_problem_feed')
        batch_op.drop_index('ix_problem_body_state_due_at')

    op.drop_table('problem')
    with op.batch_alter_table('photo', schema=None) as batch_op:
        batch_op.drop_index('ix_photo_sha256')
        batch_op.drop_index('ix_photo_owner_id')
        batch_op.drop_index('ix_photo_feed')

    op.drop_table('photo')
    op.drop_table('partition')
    with op.batch_alter_table('offered', schema=None) as batch_op:
        batch_op.drop_index('ix_offered_state')

    op.drop_table('offered')
    op.drop_table('ledger_serial')
    with op.batch_alter_table('household', schema=None) as batch_op:
        batch_op.drop_index('ix_household_feed')
        batch_op.drop_index('ix_household_compound_id')

    op.drop_table('household')
    op.drop_table('enrolment')
    with op.batch_alter_table('device', schema=None) as batch_op:
        batch_op.drop_index('ix_device_user_id')

    op.drop_table('device')
    with op.batch_alter_table('departure', schema=None) as batch_op:
        batch_op.drop_index('ix_departure_record')

    op.drop_table('departure')
    with op.batch_alter_table('conflict', schema=None) as batch_op:
        batch_op.drop_index('ix_conflict_state_partition_id')
        batch_op.drop_index('ix_conflict_feed')
        batch_op.drop_index('ix_conflict_about_id')

    op.drop_table('conflict')
    with op.batch_alter_table('compound', schema=None) as batch_op:
        batch_op.drop_index('ix_compound_feed')

    op.drop_table('compound')
    op.drop_table('change')
    op.drop_table('chain_link')
    op.drop_table('blob')
    with op.batch_alter_table('audit', schema=None) as batch_op:
        batch_op.drop_index('ix_audit_at')

    op.drop_table('audit')
    with op.batch_alter_table('assignment', schema=None) as batch_op:
        batch_op.drop_index('ix_assignment_user')
        batch_op.drop_index('ix_assignment_grid')

    op.drop_table('assignment')
    with op.batch_alter_table('area', schema=None) as batch_op:
        batch_op.drop_index('ix_area_parent_code')
        batch_op.drop_index('ix_area_feed')
        batch_op.drop_index('ix_area_code')

    op.drop_table('area')
    op.drop_table('account')
    
